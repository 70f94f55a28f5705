"""Which files of a folder belong to a dataset: ignore rules, and what becomes of symbolic links.

Rules are patterns as in `.gitignore`: first those for what tools write by themselves, then those of the folder's
`.tdrignore`, then those of the caller. A later one overrides an earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self
from unicodedata import normalize

from pathspec import GitIgnoreSpec

from registry.base.errors import InvalidInput

IGNORE_FILE: Final = ".tdrignore"
MAX_IGNORE_BYTES: Final = 2**16
DEFAULT_PATTERNS: Final = (".git", ".hg/", ".svn/", ".DS_Store", "Thumbs.db", "__pycache__/")
"""What version control, file managers and Python change by themselves, without anyone having touched the data."""

_MAX_STARS: Final = 4  # A pattern becomes a regular expression; each star multiplies its work by the length of a name.


class Links(StrEnum):
    """What becomes of a symbolic link in a folder."""

    REFUSE = "refuse"
    SKIP = "skip"
    FOLLOW_INSIDE = "follow-inside"


@dataclass(frozen=True, slots=True)
class Selection:
    """How the files of a dataset are chosen from a folder.

    Args:
        has_rules: Whether the default patterns and the folder's `.tdrignore` count.
        patterns: Further patterns.
        links: What becomes of symbolic links.
        kept: Paths that no rule leaves out, such as those of the manifest that the folder is compared with.
    """

    has_rules: bool = True
    patterns: tuple[str, ...] = ()
    links: Links = Links.REFUSE
    kept: frozenset[str] = frozenset()

    def keeping(self, paths: Iterable[str]) -> Self:
        """Return this selection with paths that no rule leaves out."""
        return replace(self, kept=frozenset(paths))

    def below(self, prefix: str) -> Self:
        """Return this selection for a folder whose files have paths that begin with its name and a slash."""
        if not prefix:
            return self
        return replace(self, kept=frozenset(path[len(prefix) :] for path in self.kept if path.startswith(prefix)))

    def rules(self, file_patterns: Sequence[str]) -> Rules:
        """Return the rules for a folder.

        Args:
            file_patterns: The lines of its `.tdrignore`.

        Raises:
            InvalidInput: A pattern cannot be read.
        """
        from_folder = (*DEFAULT_PATTERNS, *file_patterns) if self.has_rules else ()
        return Rules((*from_folder, *self.patterns), self.kept)


STANDARD: Final = Selection()
"""The default patterns and the folder's `.tdrignore`; a link is refused."""

EVERYTHING: Final = Selection(has_rules=False)
"""Every file; a link is refused."""


class Rules:
    """Ignore rules, in their order.

    Args:
        patterns: The patterns; empty ones and comments are allowed.
        kept: Paths that no rule leaves out.

    Raises:
        InvalidInput: A pattern cannot be read.
    """

    def __init__(self, patterns: Sequence[str], kept: frozenset[str] = frozenset()) -> None:
        self.patterns = tuple(line for line in patterns if line.strip() and not line.startswith("#"))
        for pattern in self.patterns:
            _check_pattern(pattern)
        self._spec = GitIgnoreSpec.from_lines([normalize("NFC", pattern) for pattern in self.patterns])
        self._kept = kept
        self._kept_folders = {path[: end.start()] for path in kept for end in re.finditer("/", path)}

    def leave_out(self, path: str, *, is_folder: bool) -> bool:
        """Return whether a file or folder is left out; it is not below one that is."""
        if not self.patterns:
            return False
        path = normalize("NFC", path)
        if path in (self._kept_folders if is_folder else self._kept):
            return False
        return self._spec.match_file(f"{path}/" if is_folder else path)


def _check_pattern(pattern: str) -> None:
    if len(re.findall(r"\*+", pattern)) > _MAX_STARS:
        raise InvalidInput(
            f"The ignore pattern {pattern[:80]!r} has more than {_MAX_STARS} stars.", hint="Divide it into several."
        )
    try:
        GitIgnoreSpec.from_lines([pattern])
    except (ValueError, re.error):
        raise InvalidInput(
            f"The ignore pattern {pattern[:80]!r} cannot be read.", hint="Patterns are written as in .gitignore."
        ) from None
