"""Worlds to relay in: two kinds of chain, two kinds of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from registry.chain.client import Chain
from registry.chain.rpc import RpcChain
from registry.devchain.embedded import EmbeddedChain
from registry.relay.receipts import FOLLOWS, Status
from registry.relay.signing import Signer
from registry.storage import Storage
from tests.fixtures.chains import StartAnvil
from tests.relay.world import RELAYER_KEY, World


@pytest.fixture(scope="session")
def anvil_url(start_anvil: StartAnvil) -> str:
    """An anvil that makes a block of each transaction."""
    return start_anvil()[1]


@pytest.fixture
def anvil(anvil_url: str) -> Iterator[Chain]:
    chain = RpcChain([anvil_url])
    yield chain
    chain.close()


@pytest.fixture
def embedded() -> Iterator[Chain]:
    chain = EmbeddedChain.in_memory(Signer(RELAYER_KEY).address)
    yield chain
    chain.close()


@pytest.fixture(params=["embedded", "anvil"])
def chain(request: pytest.FixtureRequest) -> Chain:
    opened: Chain = request.getfixturevalue(request.param)
    return opened


@pytest.fixture
def world(chain: Chain, storage: Storage) -> World:
    """Every chain with every database."""
    return World.make(chain, storage)


@pytest.fixture
def small_world(embedded: Chain, sqlite_storage: Storage) -> World:
    """For tests in which the kinds of chain and database do not matter."""
    return World.make(embedded, sqlite_storage)


@pytest.fixture
def anvil_world(anvil: Chain, storage: Storage) -> World:
    """For tests that need anvil's ways to change the chain."""
    return World.make(anvil, storage)


@pytest.fixture
def moves(storage: Storage) -> Iterator[Callable[[], list[tuple[str, str]]]]:
    """Every change of a status, recorded by the database itself; at the end each must have been allowed (R3)."""
    with storage.write() as connection:
        connection.execute(text("CREATE TABLE moves (old VARCHAR(8), new VARCHAR(8))"))
        if storage.is_sqlite:
            connection.execute(
                text(
                    "CREATE TRIGGER note_move AFTER UPDATE OF status ON receipts WHEN old.status <> new.status"
                    " BEGIN INSERT INTO moves VALUES (old.status, new.status); END"
                )
            )
        else:
            connection.execute(
                text(
                    "CREATE FUNCTION note_move() RETURNS trigger AS $$ BEGIN"
                    " INSERT INTO moves VALUES (old.status, new.status); RETURN new; END $$ LANGUAGE plpgsql"
                )
            )
            connection.execute(
                text(
                    "CREATE TRIGGER note_move AFTER UPDATE ON receipts FOR EACH ROW"
                    " WHEN (old.status <> new.status) EXECUTE FUNCTION note_move()"
                )
            )

    def read() -> list[tuple[str, str]]:
        with storage.read() as connection:
            return [(old, new) for old, new in connection.execute(text("SELECT old, new FROM moves"))]

    yield read
    back = {("mined", "accepted")}  # Only for messages that never had a transaction.
    for old, new in read():
        assert Status(old) in FOLLOWS[Status(new)] or (old, new) in back
