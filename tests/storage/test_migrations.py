"""The migrations make exactly the tables that the program uses, from every state that was ever released."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from registry.base.errors import Conflict
from registry.base.primitives import Bytes32
from registry.feed.entries import newest, read_entries
from registry.storage import Storage, migrate, open_storage
from registry.storage.metadata import METADATA
from registry.storage.migrate import configuration, revision_of

ROOT = Path(__file__).parents[2]
for module in sorted(ROOT.glob("registry/**/*.py")):  # Whatever has tables, so that METADATA holds them all.
    if "from registry.storage.metadata import METADATA" in module.read_text() and module.stem != "env":
        importlib.import_module(".".join(module.relative_to(ROOT).with_suffix("").parts))

RELEASED = (None, "0001", "0003", "0004")
"""The revisions of released versions, and of an empty database."""


def test_the_migrated_tables_are_those_of_the_program(database_url: str) -> None:
    storage = open_storage(database_url)
    migrate(storage)
    with storage.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert set(inspect(connection).get_table_names()) == {*METADATA.tables, "alembic_version"}
    storage.close()


@pytest.mark.parametrize("revision", RELEASED)
def test_every_released_state_migrates_to_the_newest(revision: str | None, database_url: str) -> None:
    storage = open_storage(database_url)
    if revision is not None:
        migrate(storage, revision)
    migrate(storage)
    migrate(storage)
    with storage.read() as connection:
        newest = ScriptDirectory.from_config(configuration(connection)).get_current_head()
        assert revision_of(connection) == newest
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    storage.close()


def test_what_is_in_the_index_outlives_a_migration(database_url: str) -> None:
    storage = open_storage(database_url)
    migrate(storage, "0003")
    block = {"number": 7 << 33, "block_hash": b"\x11" * 32, "timestamp": 1}
    with storage.write() as connection:
        connection.execute(
            text("INSERT INTO index_blocks (number, block_hash, timestamp) VALUES (:number, :block_hash, :timestamp)"),
            block,
        )
    migrate(storage)
    with storage.read() as connection:
        rows = connection.execute(text("SELECT number, block_hash, timestamp FROM index_blocks")).mappings().all()
        assert [dict(row) for row in rows] == [block]
    storage.close()


def relayed(storage: Storage) -> dict[str, object]:
    """Insert a deployment and a receipt, as revisions 2 to 9 have them; return the receipt's row."""
    receipt: dict[str, object] = {
        "seq": 7,
        "id": "0123456789abcdef0123456789abcdef",
        "status": "accepted",
        "kind": "Registration",
        "message": "{}",
        "dataset_id": b"\x44" * 32,
        "digest": b"\x55" * 32,
        "contract": b"\x22" * 20,
        "calldata": b"\x66" * 100,
        "gas": 1,
        "deadline": 2,
        "accepted_at": 3.0,
        "updated_at": 4.0,
        "already_done": False,
    }
    deployment = {
        "id": 1,
        "chain_id": 31337,
        "genesis_hash": b"\x11" * 32,
        "registry": b"\x22" * 20,
        "grants": b"\x33" * 20,
        "block_number": 9,
    }
    with storage.write() as connection:
        for table, row in (("deployment", deployment), ("receipts", receipt)):
            names = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({names})"), row)  # noqa: S608
        connection.execute(text("INSERT INTO idempotency_keys (scope, key, receipt_seq) VALUES ('s', 'k', 7)"))
    return receipt


@pytest.mark.parametrize("revision", [f"{number:04}" for number in range(2, 10)])
def test_contracts_and_receipts_outlive_a_migration(revision: str, database_url: str) -> None:
    """From revision 10 on contracts have names, and a receipt has a subject of some kind."""
    storage = open_storage(database_url)
    migrate(storage, revision)
    former = relayed(storage)
    migrate(storage)
    with storage.read() as connection:
        contracts = connection.execute(text("SELECT name, address, block_number FROM deployment_contracts ORDER BY 1"))
        assert contracts.all() == [("AccessGrants", b"\x33" * 20, 9), ("DatasetRegistry", b"\x22" * 20, 9)]
        deployment = connection.execute(text("SELECT id, chain_id, genesis_hash FROM deployment")).one()
        assert deployment == (1, 31337, b"\x11" * 32)
        receipt = connection.execute(text("SELECT * FROM receipts")).mappings().one()
        subject = {"subject_kind": "dataset", "subject_id": former.pop("dataset_id")}
        assert {name: receipt[name] for name in (*former, *subject)} == former | subject
        assert connection.execute(text("SELECT receipt_seq FROM idempotency_keys")).scalar_one() == 7
    storage.close()


def test_a_database_without_a_deployment_has_none_after_a_migration(database_url: str) -> None:
    storage = open_storage(database_url)
    migrate(storage, "0009")
    with storage.write() as connection:
        connection.execute(
            text("INSERT INTO deployment (id, chain_id, genesis_hash) VALUES (1, 31337, :hash)"), {"hash": b"\x11" * 32}
        )
    migrate(storage)
    with storage.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM deployment_contracts")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM deployment")).scalar_one() == 1
    storage.close()


def test_names_of_documents_that_nobody_published_are_forgotten_and_the_documents_kept(database_url: str) -> None:
    """Until revision 0007, anyone with a document could name a dataset by it."""
    storage = open_storage(database_url)
    migrate(storage, "0007")
    key = b"\x07" * 32
    with storage.write() as connection:
        row = dict.fromkeys(("position", "registered_at", "version", "updated_position", "updated_at"), 1)
        row |= dict.fromkeys(("dataset_id", "salt", "head", "content_root", "metadata_hash", "transaction_hash"), key)
        row |= {"first_owner": key[:20], "owner": key[:20], "uri": b"", "sources": b"", "is_withdrawn": False}
        row |= {"name": "A secret", "name_key": "a secret"}
        insert = "INSERT INTO datasets ({}) VALUES ({})"
        connection.execute(text(insert.format(", ".join(row), ", ".join(f":{name}" for name in row))), row)
        connection.execute(text("INSERT INTO dataset_words (word, position) VALUES ('secret', 1)"))
        connection.execute(
            text("INSERT INTO metadata_documents (metadata_hash, body, name) VALUES (:key, :body, 'A secret')"),
            {"key": key, "body": b'{"name":"A secret"}'},
        )
    migrate(storage)
    with storage.read() as connection:
        assert connection.execute(text("SELECT name, name_key FROM datasets")).one() == (None, None)
        assert connection.execute(text("SELECT count(*) FROM dataset_words")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM publications")).scalar_one() == 0
        assert connection.execute(text("SELECT name FROM metadata_documents")).scalar_one() == "A secret"
    storage.close()


def test_no_column_stands_behind_a_documents_body(tmp_path: Path) -> None:
    """SQLite would follow all pages of the body, 32 MiB it may be, to read the column, for each dataset of a page."""
    storage = open_storage(f"sqlite:///{tmp_path / 'registry.db'}")
    migrate(storage, "0008")
    with storage.write() as connection:
        rows = {"manifests": "X'07', X'08', 9, 10", "metadata_documents": "X'07', X'08', 'name', 'description'"}
        for table, row in rows.items():
            connection.execute(text(f"INSERT INTO {table} VALUES ({row})"))  # noqa: S608 - written above
    migrate(storage)
    with storage.read() as connection:
        for table in METADATA.tables:
            names = [column["name"] for column in inspect(connection).get_columns(table)]
            assert "body" not in names[:-1], table
        kept = connection.execute(text("SELECT content_root, files, bytes, body FROM manifests")).one()
        assert kept == (b"\x07", 9, 10, b"\x08")
        kept = connection.execute(text("SELECT metadata_hash, name, description, body FROM metadata_documents")).one()
        assert kept == (b"\x07", "name", "description", b"\x08")
    storage.close()


def test_the_keys_of_what_grows_are_sqlites_row_numbers(tmp_path: Path) -> None:
    """Otherwise each of these tables would have a second tree beside its own."""
    storage = open_storage(f"sqlite:///{tmp_path / 'registry.db'}")
    migrate(storage)
    with storage.read() as connection:
        trees = connection.execute(text("SELECT tbl_name FROM sqlite_master WHERE name LIKE 'sqlite_autoindex_%'"))
        assert not {"events", "versions", "grants", "index_blocks"} & set(trees.scalars())
    storage.close()


def test_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    failures: list[Exception] = []

    def start() -> None:
        storage = open_storage(database_url)
        try:
            migrate(storage)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failures.append(error)
        storage.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_failed_migration_leaves_nothing_behind(database_url: str) -> None:
    storage = open_storage(database_url)
    with storage.write() as connection:
        connection.execute(text("CREATE TABLE versions (stray INTEGER)"))
    with pytest.raises(Exception, match="versions"):
        migrate(storage)
    with storage.read() as connection:
        assert inspect(connection).get_table_names() == ["versions"]
    storage.close()


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    storage = open_storage(database_url)
    migrate(storage)
    with storage.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match=r"newer version of this program \(revision 9999\)"):
        migrate(storage)
    storage.close()


def test_outbox_and_timers_are_filled_from_the_index(database_url: str) -> None:
    """Revision 0012: earlier events can be read, and active grants expire."""
    storage = open_storage(database_url)
    migrate(storage, "0011")
    key, account = b"\x07" * 32, b"\x08" * 20
    events = [{"position": number, "data": bytes([number])} for number in (30, 10, 20)]
    grant = {"dataset_id": key, "grantee": account, "rights": 1, "starts_at": 0, "terms_hash": key, "revoked": False}
    grants = [
        {"position": 10, "epoch": 1, "expires_at": 100, "ended_position": 20, "ended_at": 99},
        {"position": 20, "epoch": 2, "expires_at": 100, "ended_position": 30, "ended_at": 100},
        {"position": 30, "epoch": 3, "expires_at": 2**48 - 1, "ended_position": None, "ended_at": None},
        {"position": 40, "epoch": 4, "expires_at": 200, "ended_position": None, "ended_at": None},
    ]
    with storage.write() as connection:
        connection.execute(
            text(
                "INSERT INTO events (position, block_hash, timestamp, transaction_hash, kind, subject_id, account,"
                " topics, data) VALUES (:position, :key, 5, :key, 6, :key, :account, :key, :data)"
            ),
            [event | {"key": key, "account": account} for event in events],
        )
        connection.execute(
            text(
                "INSERT INTO grants VALUES (:position, :dataset_id, :grantee, :epoch, :rights, :starts_at, :expires_at,"
                " :terms_hash, :ended_position, :ended_at, :revoked)"
            ),
            [grant | row for row in grants],
        )
    migrate(storage, "0012")
    with storage.read() as connection:
        rows = connection.execute(text("SELECT seq, position, data, entry FROM outbox ORDER BY seq")).all()
        assert [tuple(row) for row in rows] == [(1, 10, b"\x0a", 0), (2, 20, b"\x14", 0), (3, 30, b"\x1e", 0)]
        timers = connection.execute(text("SELECT name, key, due_at, position FROM timers ORDER BY position")).all()
        assert [tuple(row) for row in timers] == [("access-expiry", "20", 100, 20), ("access-expiry", "40", 200, 40)]
    storage.close()


def test_events_of_the_index_take_their_numbers_from_the_outbox(database_url: str) -> None:
    """Revision 0013: the entries read by cursor stay the same, even during a rebuild."""
    storage = open_storage(database_url)
    migrate(storage, "0012")
    block, other, topic, account = (Bytes32(bytes([byte]) * 32) for byte in (7, 9, 3, 0))
    shared: dict[str, Any] = {"block_hash": block, "other": other, "topics": topic, "account": account[:20]}
    rows: list[dict[str, Any]] = [
        {"seq": 1, "entry": 0, "retracts": None, "is_standing": True, "position": 20, "name": None},
        {"seq": 2, "entry": 0, "retracts": None, "is_standing": False, "position": 30, "name": None},
        {"seq": 3, "entry": 2, "retracts": None, "is_standing": True, "position": 20, "name": "Reached"},
        {"seq": 4, "entry": 1, "retracts": 2, "is_standing": False, "position": 30, "name": None},
        {"seq": 5, "entry": 0, "retracts": None, "is_standing": True, "position": 31, "name": None},
        {"seq": 6, "entry": 0, "retracts": None, "is_standing": True, "position": 10, "name": None},
        {"seq": 7, "entry": 0, "retracts": None, "is_standing": True, "position": 90, "name": None},
    ]
    with storage.write() as connection:
        connection.execute(
            text(
                "INSERT INTO events (position, block_hash, timestamp, transaction_hash, kind, subject_id, account,"
                " topics, data) VALUES (:position, :block_hash, 5, :other, 6, :other, :account, :topics, :data)"
            ),
            [shared | {"position": position, "data": bytes([position])} for position in (31, 10, 20)],
        )
        connection.execute(
            text(
                "INSERT INTO outbox (seq, entry, retracts, is_standing, position, block_hash, timestamp,"
                " transaction_hash, subject_id, account, written_at, kind, topics, data, name) VALUES (:seq, :entry,"
                " :retracts, :is_standing, :position, :block_hash, 5, :other, :other, :account, :written_at, :kind,"
                " :topics, :data, :name)"
            ),
            [
                shared
                | row
                | {"written_at": 100 + row["seq"], "kind": 6 if row["name"] is None else None}
                | {"data": bytes([row["position"]]) if row["name"] is None else None}
                for row in rows
            ],
        )
        before = [tuple(row) for row in connection.execute(text("SELECT * FROM outbox ORDER BY seq"))]
    migrate(storage)
    with storage.read() as connection:
        assert [tuple(entry) for entry in read_entries(connection, 0, 9).entries] == before
        assert newest(connection) == 7
        left = connection.execute(text("SELECT seq FROM outbox ORDER BY seq")).scalars()
        assert list(left) == [2, 3, 4, 7]
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    storage.close()
