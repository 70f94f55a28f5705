"""An owner's statements are kept for ever, so only so many are taken in an hour; the times are the tests' own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from registry.base.errors import LimitReached
from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.rooms.access.policies import set_request_policy
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets import publications
from registry.rooms.datasets.statements import DatasetStatement, Publication, Retraction
from registry.statements.store import Accepted
from registry.statements.tables import STATEMENTS
from registry.storage import Storage
from tests.fixtures.waiting import PATIENCE

FAR = 4_000_000_000
ROOT = Bytes32(b"\x01" * 32)
ONE, OTHER = DatasetId(b"\x0a" * 32), DatasetId(b"\x0b" * 32)
OWNER, NEXT_OWNER = Address(b"\x02" * 20), Address(b"\x03" * 20)
MOST = 3
MINUTE = 60.0


def policy(number: int, dataset_id: DatasetId = ONE) -> RequestPolicy:
    return RequestPolicy(dataset_id=dataset_id, accepted=bool(number % 2), issued_at=number, deadline=FAR)


def publication(deadline: int = FAR) -> Publication:
    return Publication(dataset_id=ONE, version=1, content_root=ROOT, metadata_hash=ZERO_BYTES32, deadline=deadline)


def retraction(deadline: int = FAR) -> Retraction:
    return Retraction(**publication(deadline).model_dump(), reason="a mistake")


def keep(storage: Storage, statement: DatasetStatement, at: float, signer: Address = OWNER) -> None:
    said = (Bytes32(statement.struct_hash()), b"", signer, at, MOST)
    with storage.write() as connection:
        match statement:
            case Publication():
                publications.publish(connection, Accepted(statement, *said))
            case Retraction():
                publications.retract(connection, Accepted(statement, *said))
            case RequestPolicy():
                set_request_policy(connection, Accepted(statement, *said))


def kept(storage: Storage) -> int:
    with storage.read() as connection:
        count: int = connection.execute(select(func.count()).select_from(STATEMENTS)).scalar_one()
    return count


def test_one_too_many_waits_until_the_first_is_an_hour_old(storage: Storage) -> None:
    for number in range(MOST):
        keep(storage, policy(number), number * 10 * MINUTE)
    with pytest.raises(LimitReached, match="3 statements of the kind RequestPolicy") as caught:
        keep(storage, policy(MOST), 30 * MINUTE)
    assert caught.value.retry_after == 30 * MINUTE
    assert kept(storage) == MOST
    keep(storage, policy(MOST - 1), 30 * MINUTE)  # A repetition leaves no row.
    keep(storage, policy(MOST), 60 * MINUTE)
    with pytest.raises(LimitReached) as caught:
        keep(storage, policy(MOST + 1), 60 * MINUTE)
    assert caught.value.retry_after == 10 * MINUTE


def test_what_was_published_can_be_taken_back_in_the_same_hour(storage: Storage) -> None:
    """Each kind is counted for itself."""
    for number in range(MOST):
        keep(storage, publication(FAR - number), number)
    with pytest.raises(LimitReached, match="Publication"):
        keep(storage, publication(FAR - MOST), MINUTE)
    for number in range(MOST):
        keep(storage, retraction(FAR - number), MINUTE)
    with pytest.raises(LimitReached, match="Retraction"):
        keep(storage, retraction(FAR - MOST), MINUTE)


def test_neither_another_dataset_nor_the_next_owner_is_touched(storage: Storage) -> None:
    for number in range(MOST):
        keep(storage, policy(number), number)
    keep(storage, policy(1, OTHER), MINUTE)
    keep(storage, policy(MOST), MINUTE, NEXT_OWNER)


def test_of_many_at_once_no_more_are_kept(storage: Storage) -> None:
    barrier = Barrier(8)

    def send(number: int) -> bool:
        barrier.wait(PATIENCE)
        try:
            keep(storage, publication(FAR - number), float(number))
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(8))) == MOST
    assert kept(storage) == MOST
