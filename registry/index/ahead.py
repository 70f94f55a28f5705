"""Reading the next span of blocks from the node while the one at hand is being stored.

A span says which block it follows, so one that was read ahead is as good as one that is read when it is wanted: it is
used only by whoever stands on that very block, and a chain that changed meanwhile is found out as ever.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from registry.base.primitives import Bytes32
from registry.index.blocks import SPAN_BLOCKS, Block, BlockReader, Span


class _Reading(NamedTuple):
    """A span that is being read, and the block that it follows."""

    number: int
    block_hash: Bytes32
    span: Future[Span]


class ReadAhead:
    """Hands out spans, one after the other. For one thread.

    Args:
        reader: Reads them.
    """

    def __init__(self, reader: BlockReader) -> None:
        self._reader = reader
        self._thread = ThreadPoolExecutor(1, "index read-ahead")
        self._reading: _Reading | None = None

    def span(self, number: int, block_hash: Bytes32, head: int) -> Span:
        """What follows a block, as `BlockReader.span`; what comes after that is begun to be read.

        Args:
            number: The block's height.
            block_hash: Its hash.
            head: The height of the node's head.
        """
        reading, self._reading = self._reading, None
        if reading is not None and (reading.number, reading.block_hash) == (number, block_hash):
            span = reading.span.result()
        else:
            span = self._reader.span(number, block_hash, min(head, number + SPAN_BLOCKS))
        if span.blocks and span.blocks[-1].number < head:
            self._begin(span.blocks[-1], head)
        return span

    def _begin(self, last: Block, head: int) -> None:
        number, block_hash = last.number, last.hash
        reading = self._thread.submit(self._reader.span, number, block_hash, min(head, number + SPAN_BLOCKS))
        self._reading = _Reading(number, block_hash, reading)
