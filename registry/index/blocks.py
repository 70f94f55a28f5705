"""Read blocks and their events from a node that may lag, reorganise, or be load-balanced.

Every answer is checked. Blocks must be linked by their parent hashes to the caller's block. A log must name the hash of
its block. If a block's bloom filter indicates a log of our contracts but the node returned none, the node is asked
again for this block by its hash: a node that lags returns no logs for a range of heights, which would otherwise look
like blocks without events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32
from registry.chain.capabilities import FINALIZED
from registry.chain.client import Chain, ChainUnavailable, RpcError
from registry.chain.logs import LogFilter, may_contain
from registry.ethereum.logs import Log
from registry.index.events import EventDecoder
from registry.index.position import position_of
from registry.rooms.deployment import Deployment
from registry.rooms.projection import IndexedEvent
from registry.rooms.room import Rooms

SPAN_BLOCKS: Final = 25
"""Few enough that a span of full blocks stays small in memory, enough that a round trip is worth its while."""


class Block(NamedTuple):
    """The fields of a block's header that the index needs."""

    number: int
    hash: Bytes32
    parent: Bytes32
    timestamp: int
    bloom: int


class Span(NamedTuple):
    """Consecutive blocks, and all events in them, in the order of the chain."""

    blocks: tuple[Block, ...]
    events: tuple[IndexedEvent, ...]


class BlockReader:
    """Read the blocks and events of a deployment.

    Args:
        chain: The chain; its identity has been checked.
        deployment: The contracts.
        rooms: The rooms whose events are read.
    """

    def __init__(self, chain: Chain, deployment: Deployment, rooms: Rooms) -> None:
        self._chain = chain
        self._decoder = EventDecoder(deployment, rooms)
        contracts, topics = self._decoder.addresses, rooms.protocols.topics
        self._addresses = [str(address) for address in contracts]
        self._topics = [[str(topic) for topic in topics]]
        self._ignored = [[str(topic) for topic in prefix] for prefix in rooms.protocols.ignored]
        self._masks = LogFilter(frozenset(map(bytes, contracts)), (frozenset(map(bytes, topics)),)).masks()

    def block(self, height: int | str) -> Block | None:
        """Return the block at a height or with a tag; None if the node has none.

        Raises:
            ChainUnavailable: No usable answer came.
            RpcError: The node refused.
        """
        return _block(self._chain.request("eth_getBlockByNumber", (_height(height), False)))

    def blocks(self, heights: Sequence[int | str]) -> list[Block | None]:
        """Return several blocks. While no block is final, nodes return an error for the tag: None here."""
        answers = self._chain.batch([("eth_getBlockByNumber", (_height(height), False)) for height in heights])
        found = [
            None if height == FINALIZED and isinstance(answer, RpcError) else answer
            for height, answer in zip(heights, answers, strict=True)
        ]
        return [_block(answer) for answer in _values(found)]

    def span(self, number: int, block_hash: Bytes32, last: int) -> Span:
        """Read what follows a block.

        Args:
            number: The height of the caller's block.
            block_hash: Its hash.
            last: The last height to read.

        Returns:
            Blocks and events, linked to the given block. There are fewer, or none, if the node has no more, or if the
            chain changed during the reading.

        Raises:
            ChainUnavailable: No usable answer came.
            RpcError: The node refused to return even the events of a single block.
            UndecodableLog: A contract cannot have made a log.
        """
        blocks = _linked(self.blocks(range(number + 1, last + 1)), number, block_hash)
        while blocks:
            try:
                logs = self._logs(blocks)
            except RpcError:
                if len(blocks) == 1:
                    raise
                # Nodes cap the blocks or the events of an answer, each in its own way: ask for less.
                blocks = blocks[: len(blocks) // 2]
                continue
            return self._decoded(blocks, logs)
        return Span((), ())

    def _logs(self, blocks: list[Block]) -> list[Any]:
        filters = {"address": self._addresses, "topics": self._topics}
        heights = {"fromBlock": hex(blocks[0].number), "toBlock": hex(blocks[-1].number)}
        logs = _list(self._chain.request("eth_getLogs", ({**heights, **filters},)))
        answered = {log.get("blockHash") for log in logs if isinstance(log, dict)}
        doubtful = [
            str(block.hash)
            for block in blocks
            if may_contain(block.bloom, self._masks) and str(block.hash) not in answered
        ]
        if doubtful:
            # For a hash that it does not have, a node gives an error or null, and the whole span is tried again.
            calls = [("eth_getLogs", ({"blockHash": block_hash, **filters},)) for block_hash in doubtful]
            for answer in _values(self._chain.batch(calls)):
                logs += _list(answer)
        return logs

    def _decoded(self, blocks: list[Block], logs: list[Any]) -> Span:
        by_hash = {str(block.hash): block for block in blocks}
        events: dict[int, IndexedEvent | None] = {}
        stop = blocks[-1].number + 1
        for raw in logs:
            try:
                number = int(raw["blockNumber"], 16)
                block = by_hash.get(raw["blockHash"])
                if block is None or block.number != number or raw.get("removed"):
                    stop = min(stop, number)  # The chain changed between two answers: what lies before it still holds.
                    continue
                if any(raw["topics"][: len(prefix)] == prefix for prefix in self._ignored):
                    continue
                position = position_of(number, int(raw["logIndex"], 16))
                transaction_hash = Bytes32(bytes.fromhex(raw["transactionHash"][2:]))
                log = Log.from_rpc(raw)
            except (AttributeError, KeyError, TypeError, ValueError, InvalidInput) as error:
                raise ChainUnavailable("The node gave a log that is malformed.") from error
            events[position] = self._decoder.decode(log, position, block.hash, block.timestamp, transaction_hash)
        limit = position_of(stop, 0)
        kept = [event for position in sorted(events) if position < limit and (event := events[position])]
        return Span(tuple(block for block in blocks if block.number < stop), tuple(kept))


def without_code(chain: Chain, addresses: Sequence[Address]) -> tuple[Address, ...]:
    """Return the addresses at which the chain has no code now."""
    answers = _values(chain.batch([("eth_getCode", (str(address), "latest")) for address in addresses]))
    return tuple(address for address, code in zip(addresses, answers, strict=True) if code in (None, "0x"))


def _linked(found: list[Block | None], number: int, block_hash: Bytes32) -> list[Block]:
    linked: list[Block] = []
    for block in found:
        if block is None or block.number != number + 1 or block.parent != block_hash:
            break
        linked.append(block)
        number, block_hash = block.number, block.hash
    return linked


def _block(answer: Any) -> Block | None:
    if answer is None:
        return None
    try:
        return Block(
            number=int(answer["number"], 16),
            hash=Bytes32.parse(answer["hash"]),
            parent=Bytes32.parse(answer["parentHash"]),
            timestamp=int(answer["timestamp"], 16),
            bloom=int(answer["logsBloom"], 16),
        )
    except (KeyError, TypeError, ValueError, InvalidInput) as error:
        raise ChainUnavailable("The node gave a block that is malformed.") from error


def _values(answers: Sequence[Any | RpcError]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, RpcError):
            raise answer
    return list(answers)


def _list(answer: Any) -> list[Any]:
    if not isinstance(answer, list):
        raise ChainUnavailable("The node gave no list of logs: it may lag behind.")
    return answer


def _height(height: int | str) -> str:
    return height if isinstance(height, str) else hex(height)
