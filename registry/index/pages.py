"""Lists in pages: the end of one page is the beginning of the next."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from registry.base.errors import InvalidInput
from registry.index.shapes import Json

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
FIRST: Final = -1
"""The place before every row."""
LAST: Final = 2**63 - 1
"""The place behind every row."""


class Listing(StrEnum):
    """The lists. A cursor begins with its list's letter, so that none is taken for another's."""

    CLAIMS = "c"
    DATASETS = "d"
    GRANTS = "g"
    HISTORY = "h"
    REQUESTS = "r"
    VERSIONS = "v"

    def place(self, cursor: str | None, beginning: int) -> int:
        """Where a page begins.

        Args:
            cursor: What the page before gave as `next`; None for the first page.
            beginning: Where the first page begins, FIRST or LAST.

        Raises:
            InvalidInput: The cursor is none of this list's.
        """
        if cursor is None:
            return beginning
        digits = cursor.removeprefix(self.value)
        if digits == cursor or not (digits.isascii() and digits.isdigit() and len(digits) < len(str(LAST))):
            raise InvalidInput(
                "The cursor is none that a page of this list gave as its next.", hint="Leave it out to begin anew."
            )
        return int(digits)

    def page(self, items: list[Json], places: list[int], limit: int) -> Json:
        """A page of items, of which one more than wanted was read to see whether there are more."""
        more = len(items) > limit
        return {"items": items[:limit], "next": f"{self.value}{places[limit - 1]}" if more else None}
