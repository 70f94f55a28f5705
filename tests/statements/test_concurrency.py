"""Transactions of PostgreSQL that overlap: what is taken back stays hidden, and what is public stays kept.

SQLite has one writer at a time, so nothing overlaps there.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from registry.base.canonical import metadata_hash
from registry.base.errors import Conflict
from registry.base.primitives import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.documents.store import metadata_of
from registry.relay.intake import accept
from registry.relay.prepared import prepare
from registry.rooms.access.messages import AccessRequest
from registry.rooms.access.policies import REQUEST_POLICIES, set_request_policy
from registry.rooms.access.request_limits import limiting
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets import names, publications
from registry.rooms.datasets.statements import Publication, Retraction
from registry.rooms.datasets.tables import DATASETS
from registry.rooms.deployment import Deployment
from registry.rooms.protocols import PROTOCOLS
from registry.statements.store import Accepted, AnyStatement
from registry.storage import Storage
from tests.fixtures.waiting import PATIENCE, eventually

METADATA = {"name": "Names a person"}
KEY = metadata_hash(METADATA)
FIRST, SECOND = DatasetId(b"\x01" * 32), DatasetId(b"\x02" * 32)

DATASET: dict[str, Any] = {
    **dict.fromkeys(("position", "version"), 1),
    **dict.fromkeys(("registered_at", "updated_position", "updated_at"), 0),
    **dict.fromkeys(("first_owner", "owner"), ZERO_ADDRESS),
    **dict.fromkeys(("salt", "head", "content_root", "transaction_hash"), ZERO_BYTES32),
    **dict.fromkeys(("uri", "sources"), b""),
    "dataset_id": FIRST,
    "metadata_hash": KEY,
    "is_withdrawn": False,
}
"""A row of the index."""

_deadlines = itertools.count(1)


def accepted(statement: AnyStatement) -> Accepted[AnyStatement]:
    return Accepted(statement, Bytes32(statement.struct_hash()), b"", ZERO_ADDRESS, 0.0, 1_000)


def publish(storage: Storage, dataset_id: DatasetId) -> None:
    statement = Publication(
        dataset_id=dataset_id, version=1, content_root=ZERO_BYTES32, metadata_hash=KEY, deadline=next(_deadlines)
    )
    with storage.write() as connection:
        publications.keeping(accepted(statement), METADATA, None)(connection)


def retract(storage: Storage, dataset_id: DatasetId) -> None:
    statement = Retraction(
        dataset_id=dataset_id,
        version=1,
        content_root=ZERO_BYTES32,
        metadata_hash=KEY,
        reason="names a person",
        deadline=next(_deadlines),
    )
    with storage.write() as connection:
        publications.retract(connection, accepted(statement))


def name(storage: Storage) -> None:
    with storage.write() as connection:
        names.name_changed(connection)


@contextmanager
def overlapping(
    monkeypatch: pytest.MonkeyPatch, storage: Storage, place: Any, function: str, other: Callable[[], None]
) -> Iterator[None]:
    """Start another transaction in the middle of one, before a function of that; go on once it is done or waits."""
    original, threads = getattr(place, function), list[threading.Thread]()

    def after_another(*arguments: Any, **named: Any) -> Any:
        if not threads:
            threads.append(threading.Thread(target=other))
            threads[0].start()
            _until_done_or_waiting(storage, threads[0])
        return original(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(place, function, after_another)
        yield
    assert threads, "the function was not called"
    threads[0].join(PATIENCE)
    assert not threads[0].is_alive()


def _until_done_or_waiting(storage: Storage, thread: threading.Thread) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    def is_done_or_waiting() -> bool:
        with storage.read() as connection:
            return not thread.is_alive() or bool(connection.execute(waiting).scalar_one())

    eventually(is_done_or_waiting)


def test_a_name_taken_back_while_the_index_reads_it_is_forgotten(
    postgresql_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql_storage.write() as connection:
        connection.execute(insert(DATASETS).values(DATASET))
    publish(postgresql_storage, FIRST)
    with overlapping(
        monkeypatch, postgresql_storage, names, "delete_words", lambda: retract(postgresql_storage, FIRST)
    ):
        name(postgresql_storage)
    name(postgresql_storage)
    with postgresql_storage.read() as connection:
        assert connection.scalar(select(DATASETS.c.name).where(DATASETS.c.position == 1)) is None


def at_once(work: Callable[[int], None], numbers: Iterable[int]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)


@pytest.mark.parametrize("second_publishes", ["while the first erases", "before the first looks"])
def test_a_document_published_while_another_dataset_takes_it_back_is_kept(
    postgresql_storage: Storage, monkeypatch: pytest.MonkeyPatch, second_publishes: str
) -> None:
    publish(postgresql_storage, FIRST)
    if second_publishes == "while the first erases":
        with overlapping(
            monkeypatch, postgresql_storage, publications, "erase", lambda: publish(postgresql_storage, SECOND)
        ):
            retract(postgresql_storage, FIRST)
    else:
        with overlapping(
            monkeypatch, postgresql_storage, publications, "publish", lambda: retract(postgresql_storage, FIRST)
        ):
            publish(postgresql_storage, SECOND)
    with postgresql_storage.read() as connection:
        assert publications.is_public(connection, SECOND, 1, KEY)
        assert metadata_of(connection, KEY) is not None


def test_requests_that_come_at_once_do_not_pass_the_limit(postgresql_storage: Storage) -> None:
    deployment = Deployment.of(1, ZERO_BYTES32, {"AccessGrants": Address(b"\x02" * 20)}, 0)
    barrier, outcomes = threading.Barrier(12), list[str]()

    def ask(number: int) -> None:
        message = AccessRequest(
            dataset_id=FIRST,
            grantee=Address(bytes([number + 1]) * 20),
            rights=1,
            expires_at=0,
            purpose="",
            requests=0,
            deadline=2**40,
        )
        check = limiting(message, 3)

        def after_all(connection: Any) -> None:
            barrier.wait(PATIENCE)
            check(connection)

        try:
            accept(postgresql_storage, prepare(message, bytes(65), deployment, PROTOCOLS), 0.0, admission=[after_all])
            outcomes.append("accepted")
        except Conflict:
            outcomes.append("refused")

    at_once(ask, range(12))
    assert (outcomes.count("accepted"), outcomes.count("refused")) == (3, 9)


def test_of_policies_that_come_at_once_the_latest_is_in_force(postgresql_storage: Storage) -> None:
    times = range(100, 108)
    barrier, failures = threading.Barrier(len(times)), list[BaseException]()

    def decide(issued_at: int) -> None:
        statement = RequestPolicy(dataset_id=FIRST, accepted=issued_at % 2 == 0, issued_at=issued_at, deadline=2**40)
        try:
            with postgresql_storage.write() as connection:
                connection.execute(select(1))
                barrier.wait(PATIENCE)
                set_request_policy(connection, accepted(statement))
        except Conflict:
            pass
        except BaseException as error:  # noqa: BLE001  Shown by the assertion.
            failures.append(error)

    at_once(decide, times)
    assert failures == []
    with postgresql_storage.read() as connection:
        assert connection.scalar(select(REQUEST_POLICIES.c.issued_at)) == max(times)
