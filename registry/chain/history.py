"""Read contract logs from a chain: complete up to a block, and from one branch of the chain only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from registry.base.primitives import Address, Bytes32
from registry.chain.client import METHOD_NOT_FOUND, Chain, ChainUnavailable, RpcError, decoding
from registry.chain.logs import LogFilter
from registry.chain.pages import read_in_pages
from registry.ethereum.logs import Log, Moment

Topics = Sequence[Bytes32 | Sequence[Bytes32] | None]
"""For each topic position: the required value, several allowed values, or None for any."""


NOT_A_FULL_HISTORY: Final = "The node's logs are not a full history."
"""Said where a node's logs cannot be decoded, or cannot follow each other."""


@dataclass(frozen=True, slots=True)
class BlockRef:
    """One block of the chain.

    Args:
        number: Its height.
        hash: Its hash.
        timestamp: Its time, Unix seconds, UTC.
    """

    number: int
    hash: Bytes32
    timestamp: int

    @property
    def height(self) -> str:
        """Return the height in JSON-RPC form."""
        return hex(self.number)


def block_at(chain: Chain, block: str = "latest") -> BlockRef:
    """Return the block at a height (0x-prefixed hex) or tag.

    Raises:
        RpcError: The node returned an error.
        ChainUnavailable: The node does not have the block, or there was no usable answer.
    """
    return read_block(chain.request("eth_getBlockByNumber", [block, False]))


def read_block(answer: Any) -> BlockRef:
    """Return the block in the answer to ``eth_getBlockByNumber``.

    Raises:
        ChainUnavailable: The answer is not a block.
    """
    with decoding("The node does not have the requested block."):
        return BlockRef(int(answer["number"], 16), Bytes32.parse(answer["hash"]), int(answer["timestamp"], 16))


def ask(chain: Chain, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
    """Return the answers to several requests, all of which must succeed.

    Raises:
        RpcError: The node returned an error for one of them.
        ChainUnavailable: There was no usable answer.
    """
    answers = chain.batch(calls)
    for answer in answers:
        if isinstance(answer, RpcError):
            raise answer
    return answers


def logs_until(
    chain: Chain, contract: Address, alternatives: Sequence[Topics], since: int, until: BlockRef
) -> list[tuple[Log, Moment]]:
    """Return all logs of a contract that match one of several filters, in the order of the chain.

    The logs are read in pages as small as the node's limits require, so that any number of logs can be read.

    Args:
        chain: The chain.
        contract: The contract.
        alternatives: The filters; a log that matches several of them is returned once.
        since: The first height.
        until: The last block; it must be on the chain when each page is read.

    Raises:
        ChainUnavailable: There was no usable answer, or the chain switched branches meanwhile.
        RpcError: The node returned an error even for the receipts of a single block.
    """
    filters = [{"address": str(contract), "topics": [_topic(topic) for topic in topics]} for topics in alternatives]
    items = read_in_pages(since, until.number, lambda first, last: _page(chain, filters, first, last, until))
    with decoding("The node returned malformed logs."):
        by_place = {(int(item["blockNumber"], 16), int(item["logIndex"], 16)): item for item in items}
        if any(number > until.number or number < since for number, _ in by_place):
            raise ChainUnavailable("The node returned logs of blocks that were not requested.")
        times = _times(chain, by_place.values())
        return [
            (
                Log.from_rpc(item),
                Moment(
                    block_number=number,
                    log_index=log_index,
                    timestamp=times[item["blockHash"]],
                    block_hash=Bytes32.parse(item["blockHash"]),
                    transaction_hash=Bytes32.parse(item["transactionHash"]),
                ),
            )
            for (number, log_index), item in sorted(by_place.items())
        ]


def _page(chain: Chain, filters: Sequence[dict[str, Any]], first: int, last: int, until: BlockRef) -> list[Any]:
    """Return the matching logs of a range of blocks, all on the branch of the block `until`."""
    heights = {"fromBlock": hex(first), "toBlock": hex(last)}
    logs: list[tuple[str, Sequence[object]]] = [("eth_getLogs", [heights | condition]) for condition in filters]
    present = ("eth_getBlockByNumber", [until.height, False])
    try:
        *answers, block = ask(chain, [*logs, present])
    except RpcError as error:
        if first < last or error.code == METHOD_NOT_FOUND:
            raise
        # One block has more logs than the node returns in one answer. Its receipts have no such limit.
        receipts, block = ask(chain, [("eth_getBlockReceipts", [hex(first)]), present])
        answers = [_matching(receipts, filters)]
    if read_block(block).hash != until.hash:
        raise ChainUnavailable(f"The chain dropped the block {until.hash} while logs were read.")
    if not all(isinstance(answer, list) for answer in answers):
        raise ChainUnavailable("The node returned malformed logs.")
    return [item for answer in answers for item in answer]


def _matching(receipts: Any, filters: Sequence[dict[str, Any]]) -> list[Any]:
    """Return the logs in a block's receipts that match one of several filters."""
    log_filters = [LogFilter.parse(item["address"], item["topics"]) for item in filters]
    with decoding("The node returned malformed receipts."):
        logs = [item for receipt in receipts for item in receipt["logs"]]
        parsed = [Log.from_rpc(item) for item in logs]
    return [
        item
        for item, log in zip(logs, parsed, strict=True)
        if any(log_filter.wants(bytes(log.address), log.topics) for log_filter in log_filters)
    ]


def _topic(topic: Bytes32 | Sequence[Bytes32] | None) -> object:
    if topic is None:
        return None
    return str(topic) if isinstance(topic, Bytes32) else [str(value) for value in topic]


def _times(chain: Chain, logs: Any) -> dict[str, int]:
    """Return the time of each log's block by the block's hash. Not every node includes it in the log."""
    times = {item["blockHash"]: int(item["blockTimestamp"], 16) for item in logs if item.get("blockTimestamp")}
    missing = sorted({item["blockHash"] for item in logs} - times.keys())
    blocks = ask(chain, [("eth_getBlockByHash", [block_hash, False]) for block_hash in missing])
    return times | {block_hash: read_block(block).timestamp for block_hash, block in zip(missing, blocks, strict=True)}
