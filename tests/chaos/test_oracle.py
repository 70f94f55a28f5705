"""The faults that the oracle of the chaos run must detect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete

from registry.chain.rpc import RpcChain
from registry.index.sync import Indexer
from registry.relay.fees import GWEI, Fees
from registry.relay.receipts import Status
from registry.relay.signing import Payload
from registry.relay.tables import ATTEMPTS, NONCES
from registry.rooms.catalogue import ROOMS
from registry.storage import migrate, open_storage
from scripts.faults.load import Acknowledged
from scripts.faults.oracle import Verdict, is_indexed, judge, payloads_sent_twice
from tests.fixtures.chains import StartAnvil
from tests.fixtures.waiting import step_until
from tests.relay.world import OWNER, World


class Books:
    """A world whose database has a URL, with one registration in a block and one that was only acknowledged."""

    def __init__(self, chain: RpcChain, database: str) -> None:
        self.chain = chain
        self._database = database
        storage = open_storage(database)
        migrate(storage)
        self.world = World.make(chain, storage)
        self.first, second = (self.world.registration(name) for name in ("first", "second"))
        receipt = self.world.accept(self.first)
        with closing(self.world.relayer()) as relayer:
            step_until(lambda: self.world.status(receipt) in (Status.MINED, Status.FINAL), relayer.step)
        other = self.world.accept(second)
        self.acknowledged = [Acknowledged(self.first, receipt.id), Acknowledged(second, other.id)]

    def head(self) -> int:
        return int(self.chain.request("eth_blockNumber"), 16)

    def is_indexed(self, height: int) -> bool:
        return is_indexed(self.chain, self._database, height)

    def judge(self) -> Verdict:
        deployment = self.world.deployment
        contracts = {name: deployment.address_of(name) for name in ("DatasetRegistry", "AccessGrants")}
        return judge(self.chain, contracts, self.acknowledged, self._database)


@pytest.fixture
def books(start_anvil: StartAnvil, tmp_path: Path) -> Iterator[Books]:
    process, url = start_anvil()
    with closing(RpcChain([url])) as chain:
        made = Books(chain, f"sqlite:///{tmp_path / 'registry.db'}")
        yield made
        made.world.storage.close()
    process.kill()
    process.wait()


def test_what_was_acknowledged_and_is_on_no_chain_counts_as_lost(books: Books) -> None:
    assert books.judge() == Verdict(on_chain=1, failed=0, lost=1, duplicated=0, gaps=0)


def test_nonce_missing_in_the_books_counts_as_gap(books: Books) -> None:
    with books.world.storage.write() as connection:
        for table in (ATTEMPTS, NONCES):
            connection.execute(delete(table).where(table.c.nonce == 0))
    assert books.judge().gaps == 1


def test_payload_in_two_blocks_counts_as_sent_twice(books: Books) -> None:
    world = books.world
    assert payloads_sent_twice(books.chain, world.signer.address) == 0
    again = world.prepare(books.first, OWNER.sign(books.first, world.deployment))
    signed = world.signer.sign(
        world.deployment.chain_id,
        max(world.nonces()) + 1,
        Fees(100 * GWEI, GWEI),
        Payload(again.contract, again.calldata, again.gas),
    )
    sent = books.chain.request("eth_sendRawTransaction", [f"0x{signed.raw.hex()}"])
    step_until(lambda: books.chain.request("eth_getTransactionReceipt", [sent]), lambda: None)
    assert payloads_sent_twice(books.chain, world.signer.address) == 1


def test_index_that_lags_or_stands_on_a_block_that_is_gone_is_noticed(books: Books) -> None:
    """Stopped there, it could not be compared with the chain: that would count against an index that is right."""
    indexer = Indexer(books.chain, books.world.storage, books.world.deployment, ROOMS)
    indexer.catch_up()
    head = books.head()
    assert books.is_indexed(head)
    assert not books.is_indexed(head + 1)
    books.chain.request("anvil_reorg", [1, []])
    assert not books.is_indexed(head)
    indexer.catch_up()
    assert books.is_indexed(head)
