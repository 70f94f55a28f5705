"""Read the next span of blocks from the node while the present one is stored.

A span states which block it follows. It is used only if the index is at that block, so a chain that has changed in the
meantime is detected as usual.
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
    """Return spans, one after the other. For one thread.

    Args:
        reader: The reader of blocks.
    """

    def __init__(self, reader: BlockReader) -> None:
        self._reader = reader
        self._thread = ThreadPoolExecutor(1, "index read-ahead")
        self._reading: _Reading | None = None

    def span(self, number: int, block_hash: Bytes32, head: int) -> Span:
        """Return what follows a block, as `BlockReader.span` does, and begin to read what follows that.

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
