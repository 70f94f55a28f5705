"""Transactions, their isolation, and the errors of a failing database."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32, DatasetId
from registry.documents.tables import MANIFEST_FILES
from registry.rooms.datasets.publication_tables import CHANGED_PUBLICATIONS
from registry.storage import Storage, StorageFull, StorageUnavailable, migrate, open_storage
from registry.storage.bulk import insert_rows
from scripts.postgresql import PostgreSQLServer

ONE = DatasetId(b"\x01" * 32)


def count(storage: Storage) -> int:
    with storage.read() as connection:
        return connection.scalar(select(func.count()).select_from(CHANGED_PUBLICATIONS)) or 0


def add(storage: Storage, value: bytes = ONE) -> None:
    with storage.write() as connection:
        connection.execute(insert(CHANGED_PUBLICATIONS).values(dataset_id=DatasetId(value)))


class Stop(Exception):
    """An error within the block."""


def test_an_error_in_the_block_rolls_back(storage: Storage) -> None:
    def fail() -> None:
        with storage.write() as connection:
            connection.execute(insert(CHANGED_PUBLICATIONS).values(dataset_id=ONE))
            raise Stop

    with pytest.raises(Stop):
        fail()
    assert count(storage) == 0


def test_a_violated_constraint_stays_the_callers_error(storage: Storage) -> None:
    add(storage)
    with pytest.raises(IntegrityError):
        add(storage)
    assert count(storage) == 1


def test_a_reader_sees_one_state_while_a_writer_commits(storage: Storage) -> None:
    with storage.read() as connection:
        query = select(func.count()).select_from(CHANGED_PUBLICATIONS)
        assert connection.scalar(query) == 0
        add(storage)
        assert connection.scalar(query) == 0
    assert count(storage) == 1


def test_writers_wait_for_each_other(storage: Storage) -> None:
    def work(number: int) -> None:
        for step in range(10):
            add(storage, bytes([number, step]) + bytes(30))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(storage) == 60


def test_values_come_back_as_the_type_they_were(storage: Storage) -> None:
    add(storage)
    with storage.read() as connection:
        value = connection.scalar(select(CHANGED_PUBLICATIONS.c.dataset_id))
    assert type(value) is DatasetId
    assert value == ONE


def test_bytes_of_another_length_are_refused(storage: Storage) -> None:
    with pytest.raises(Exception, match="32 bytes; got 31"), storage.write() as connection:
        connection.execute(insert(CHANGED_PUBLICATIONS).values(dataset_id=b"\x01" * 31))


def test_bulk_rows_hold_every_byte_and_character(storage: Storage) -> None:
    texts = ["plain", "tab\tnewline\nreturn\rback\\slash", "\\N", "ü, 漢, 🗂", ""]
    rows = [(ONE, number, Bytes32(bytes([number]) * 32), value) for number, value in enumerate(texts)]
    with storage.write() as connection:
        insert_rows(connection, MANIFEST_FILES, ("content_root", "number", "sha256", "path"), rows)
        insert_rows(connection, MANIFEST_FILES, ("content_root", "number", "sha256", "path"), [])
    with storage.read() as connection:
        assert [tuple(row) for row in connection.execute(select(MANIFEST_FILES).order_by(text("number")))] == rows


def test_sqlite_syncs_each_commit_and_keeps_foreign_keys(sqlite_storage: Storage) -> None:
    with sqlite_storage.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
        assert found == {"journal_mode": "wal", "synchronous": 2}
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_full_disk_is_told_and_reading_goes_on(sqlite_storage: Storage) -> None:
    add(sqlite_storage)

    def fill() -> None:
        with sqlite_storage.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            for number in range(10_000):
                value = DatasetId(number.to_bytes(32, "big"))
                connection.execute(insert(CHANGED_PUBLICATIONS).values(dataset_id=value))

    with pytest.raises(StorageFull, match="no space left"):
        fill()
    assert count(sqlite_storage) == 1


def test_a_lock_that_is_not_given_is_told(sqlite_storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.storage.engine.LOCK_SECONDS", 0)
    impatient = open_storage(sqlite_storage.name)
    with sqlite_storage.write(), pytest.raises(StorageUnavailable, match="database is locked"), impatient.write():
        pass
    impatient.close()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StorageUnavailable, match="file is not a database"):
        open_storage(f"sqlite:///{path}")


def test_a_postgresql_that_crashes_is_told_and_found_again() -> None:
    server = PostgreSQLServer()
    try:
        storage = open_storage(server.create())
        migrate(storage)
        add(storage)
        server.stop("immediate")
        with pytest.raises(StorageUnavailable):
            count(storage)
        server.start()
        assert count(storage) == 1
        storage.close()
    finally:
        server.remove()


@pytest.mark.parametrize("cut", ["before the commit", "at the commit"])
def test_only_a_commit_whose_answer_is_lost_has_an_unknown_outcome(cut: str, postgresql_url: str) -> None:
    storage, other = open_storage(postgresql_url), open_storage(postgresql_url)
    migrate(storage)

    def write() -> None:
        with storage.write() as connection:
            backend = connection.scalar(text("SELECT pg_backend_pid()"))
            with other.write() as killer:
                killer.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})
            if cut == "before the commit":
                connection.execute(delete(CHANGED_PUBLICATIONS))

    with pytest.raises(StorageUnavailable) as caught:
        write()
    assert caught.value.outcome_unknown == (cut == "at the commit")
    storage.close()
    other.close()


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u:secret@host/db", "sqlite://", "sqlite:///:memory:"])
def test_other_urls_are_refused_without_repeating_their_password(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        open_storage(url)
    assert "secret" not in str(caught.value)


def test_a_password_is_in_no_name_and_no_error() -> None:
    with pytest.raises(StorageUnavailable) as caught:
        open_storage("postgresql://user:secret@127.0.0.1:1/db")
    assert "secret" not in str(caught.value)


def test_a_commit_survives_the_process(tmp_path: Path) -> None:
    """What was committed is there for another connection even if this one never closes."""
    storage = open_storage(f"sqlite:///{tmp_path}/registry.db")
    migrate(storage)
    add(storage)
    with sqlite3.connect(tmp_path / "registry.db") as other:
        assert other.execute("SELECT count(*) FROM changed_publications").fetchone() == (1,)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("SELECT :one, :two FROM nowhere", "nowhere"),
        ("INSERT INTO metadata_documents (name, metadata_hash) VALUES (:one, :two)", "body"),  # Which is missing.
    ],
)
def test_an_error_does_not_repeat_the_values_of_its_statement(storage: Storage, statement: str, named: str) -> None:
    """R10: a salt or a signature in a statement that fails is in no message, and so in no log."""
    with pytest.raises(SQLAlchemyError) as caught, storage.write() as connection:
        connection.execute(text(statement), {"one": "a secret", "two": b"\xa5" * 32})
    told = " ".join(str(error) for error in (caught.value, caught.value.__cause__))
    assert named in told
    assert "a secret" not in told
    assert r"\xa5" not in told
