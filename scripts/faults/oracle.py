"""The oracle: compare everything acknowledged with the chain itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from registry.base.primitives import Address, keccak256
from registry.chain.client import ChainUnavailable
from registry.chain.rpc import RpcChain
from registry.ethereum.eip712 import Message
from registry.index.state import read_cursor
from registry.relay.tables import NONCES, RECEIPTS
from registry.rooms.access.messages import AccessGrant
from registry.rooms.datasets.messages import Registration, Revision
from registry.storage import open_storage
from scripts.faults.load import Acknowledged

BLOCKS_A_BATCH = 100
REGISTERED = "0x" + keccak256(b"Registered(uint256,address,bytes32,bytes32,bytes32,string,(uint256,uint24)[])").hex()
REVISED = "0x" + keccak256(b"Revised(uint256,uint24,bytes32,bytes32,string,(uint256,uint24)[])").hex()
GRANTED = "0x" + keccak256(b"AccessGranted(uint256,address,uint32,uint48,uint48,bytes32,uint32)").hex()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a comparison.

    Args:
        on_chain: The number of acknowledged messages with an effect on the chain.
        failed: The number of those whose receipt gives a reason for the failure.
        lost: The number of all others.
        duplicated: The number of effects that occur twice.
        gaps: The number of the relayer's nonces that are missing in the database or not in a block.
    """

    on_chain: int
    failed: int
    lost: int
    duplicated: int
    gaps: int


def judge(
    chain: RpcChain, contracts: Mapping[str, Address], acknowledged: Iterable[Acknowledged], database: str
) -> Verdict:
    """Compare the acknowledged messages with the chain and with the receipts.

    Raises:
        ChainUnavailable, Unavailable: The chain or the database does not answer.
    """
    logs: list[dict[str, Any]] = chain.request(
        "eth_getLogs",
        [{"address": [str(address) for address in contracts.values()], "fromBlock": "0x0", "toBlock": "latest"}],
    )
    effects = Counter(_key_of_log(log) for log in logs)
    storage = open_storage(database)
    with storage.read() as connection:
        failed_ids = set(connection.execute(select(RECEIPTS.c.id).where(RECEIPTS.c.failure.is_not(None))).scalars())
        nonces = sorted(connection.execute(select(NONCES.c.nonce)).scalars())
        relayer = connection.execute(select(NONCES.c.relayer).limit(1)).scalar_one()
    storage.close()
    on_chain = failed = lost = duplicated = 0
    for item in acknowledged:
        count = effects[_key_of_message(item.message)]
        on_chain += count > 0
        duplicated += count > 1
        failed += count == 0 and item.receipt_id in failed_ids
        lost += count == 0 and item.receipt_id not in failed_ids
    used = int(chain.request("eth_getTransactionCount", [str(relayer), "latest"]), 16)
    missing = len(set(range(max(nonces[-1] + 1, used))) - set(nonces)) + max(0, nonces[-1] + 1 - used)
    return Verdict(on_chain, failed, lost, duplicated, missing)


def is_indexed(chain: RpcChain, database: str, height: int) -> bool:
    """Return whether the index is at a block of the chain, at this height or above.

    Raises:
        ChainUnavailable, Unavailable: The chain or the database does not answer.
    """
    storage = open_storage(database)
    with storage.read() as connection:
        cursor = read_cursor(connection)
    storage.close()
    block = chain.request("eth_getBlockByNumber", [hex(cursor.height), False])
    return cursor.height >= height and block is not None and block["hash"] == str(cursor.block_hash)


def payloads_sent_twice(chain: RpcChain, relayer: Address) -> int:
    """Return the number of transactions of an account in blocks whose payload was already in a block.

    Raises:
        ChainUnavailable: The chain does not answer.
    """
    height = int(chain.request("eth_blockNumber"), 16)
    payloads: Counter[str] = Counter()
    for start in range(0, height + 1, BLOCKS_A_BATCH):
        blocks: list[Any] = chain.batch(
            [
                ("eth_getBlockByNumber", [hex(number), True])
                for number in range(start, min(start + BLOCKS_A_BATCH, height + 1))
            ]
        )
        if None in blocks:
            raise ChainUnavailable(f"anvil has lost a block between {start} and {start + len(blocks) - 1}: no verdict.")
        payloads.update(
            transaction["input"]
            for block in blocks
            for transaction in block["transactions"]
            if transaction["from"].lower() == f"0x{relayer.hex()}" and transaction["to"]
        )
    return sum(count - 1 for payload, count in payloads.items() if payload != "0x")


def _key_of_log(log: Mapping[str, Any]) -> tuple[str, ...]:
    topics = log["topics"]
    # Registered: id; Revised: id and content root; AccessGranted: id and grantee.
    match topics[0]:
        case topic if topic == REGISTERED:
            return (topic, topics[1])
        case topic if topic == REVISED:
            return (topic, topics[1], topics[3])
        case topic if topic == GRANTED:
            return (topic, topics[1], topics[2])
    return (topics[0],)


def _key_of_message(message: Message) -> tuple[str, ...]:
    match message:
        case Registration():
            return (REGISTERED, str(message.dataset_id))
        case Revision():
            return (REVISED, str(message.dataset_id), str(message.content_root))
        case AccessGrant():
            return (GRANTED, str(message.dataset_id), f"0x{message.grantee.hex():0>64}")
    raise TypeError(f"the load does not send {type(message).__name__}")
