"""Answers from the index: the block that they are as of, and lists in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement

from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32
from registry.feed.tables import EVENTS
from registry.index.state import Cursor

Value = TypeVar("Value")

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
FIRST: Final = -1
"""The place before every row."""
LAST: Final = 2**63 - 1
"""The place behind every row."""


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[Value]):
    """An answer from one state of the database.

    Args:
        value: The answer.
        as_of: The index's block in that state.
    """

    value: Value
    as_of: Cursor


@dataclass(frozen=True, slots=True)
class Page(Generic[Value]):
    """A page of a list.

    Args:
        items: The rows.
        next: The cursor of the next page; None on the last one.
    """

    items: Sequence[Value]
    next: str | None


class EventPlace(NamedTuple):
    """Where an event is on the chain.

    Attributes:
        position: See `registry.index.position`.
        block_hash: The hash of its block.
        timestamp: The time of its block, Unix seconds, UTC.
        transaction_hash: The hash of its transaction.
    """

    position: int
    block_hash: Bytes32
    timestamp: int
    transaction_hash: Bytes32


PLACE: Final[tuple[ColumnElement[int], ...]] = (
    EVENTS.c.position,
    EVENTS.c.block_hash,
    EVENTS.c.timestamp,
    EVENTS.c.transaction_hash,
)
"""The columns of an `EventPlace`, which come first in a statement."""
PLACE_COLUMNS: Final = len(PLACE)


def place_of(row: Sequence[Any]) -> EventPlace:
    """Return the place in the first columns of a row."""
    return EventPlace(*row[:PLACE_COLUMNS])


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is read in pages.

    Args:
        letter: What its cursors begin with, so that no list takes the cursor of another.
    """

    letter: str

    def place(self, cursor: str | None, beginning: int) -> int:
        """Return where a page begins.

        Args:
            cursor: The `next` of the page before; None for the first page.
            beginning: Where the first page begins, FIRST or LAST.

        Raises:
            InvalidInput: It is not a cursor of this list.
        """
        if cursor is None:
            return beginning
        digits = cursor.removeprefix(self.letter)
        if digits == cursor or not (digits.isascii() and digits.isdigit() and len(digits) < len(str(LAST))):
            raise InvalidInput(
                "The cursor is not the `next` of a page of this list.",
                hint="Leave it out for the first page.",
            )
        return int(digits)

    def page(self, items: Sequence[Value], places: Sequence[int], limit: int) -> Page[Value]:
        """Return a page.

        Args:
            items: The rows, and one more where there is a next page.
            places: The place of each row.
            limit: The most rows of a page.
        """
        has_more = len(items) > limit
        return Page(items[:limit], f"{self.letter}{places[limit - 1]}" if has_more else None)
