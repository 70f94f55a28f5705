"""A place on the chain as one number, which orders as the chain does."""

from __future__ import annotations

from typing import Final

LOG_BITS: Final = 20
"""Room for a million logs in a block: at 375 gas a log, more than a block of 390 million gas can hold."""


def position_of(block_number: int, log_index: int) -> int:
    """Return the position of a log."""
    return block_number << LOG_BITS | log_index


def first_position(block_number: int) -> int:
    """Return the first position of a block: all positions of earlier blocks are less, and none of its own is."""
    return block_number << LOG_BITS


def block_of(position: int) -> int:
    """Return the height of a position's block."""
    return position >> LOG_BITS


def log_index_of(position: int) -> int:
    """Return the index of a position's log in its block."""
    return position & ((1 << LOG_BITS) - 1)
