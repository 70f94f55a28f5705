"""Select the files of a folder that belong to a dataset: ignore rules and the treatment of symbolic links.

Rules are patterns as in `.gitignore`: first those for files that tools write by themselves, then those of the folder's
`.tdrignore`, then those of the caller. A later pattern overrides an earlier one.
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
"""Files that version control, file managers and Python change by themselves, although the data is unchanged."""

_MAX_STARS: Final = 4  # A pattern becomes a regular expression; each star multiplies its cost by the length of a name.


class Links(StrEnum):
    """The treatment of symbolic links in a folder."""

    REFUSE = "refuse"
    SKIP = "skip"
    FOLLOW_INSIDE = "follow-inside"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a folder belong to the dataset.

    Args:
        has_rules: Whether the default patterns and the folder's `.tdrignore` apply.
        patterns: Further patterns.
        links: The treatment of symbolic links.
        kept: Paths that no rule excludes, such as those of the manifest that the folder is compared with.
    """

    has_rules: bool = True
    patterns: tuple[str, ...] = ()
    links: Links = Links.REFUSE
    kept: frozenset[str] = frozenset()

    def keeping(self, paths: Iterable[str]) -> Self:
        """Return this selection with paths that no rule excludes."""
        return replace(self, kept=frozenset(paths))

    def below(self, prefix: str) -> Self:
        """Return this selection for a folder whose files have paths that begin with its name and a slash.

        Args:
            prefix: The name and the slash; empty: none.
        """
        if not prefix:
            return self
        return replace(self, kept=frozenset(path[len(prefix) :] for path in self.kept if path.startswith(prefix)))

    def rules(self, file_patterns: Sequence[str]) -> Rules:
        """Return the rules for a folder.

        Args:
            file_patterns: The lines of its `.tdrignore`.

        Raises:
            InvalidInput: A pattern is invalid.
        """
        from_folder = (*DEFAULT_PATTERNS, *file_patterns) if self.has_rules else ()
        return Rules((*from_folder, *self.patterns), self.kept)


STANDARD: Final = Selection()
"""The default patterns and the folder's `.tdrignore`; links are refused."""

EVERYTHING: Final = Selection(has_rules=False)
"""Every file; links are refused."""


class Rules:
    """Ignore rules, in order.

    Args:
        patterns: The patterns; empty ones and comments are allowed.
        kept: Paths that no rule excludes.

    Raises:
        InvalidInput: A pattern is invalid.
    """

    def __init__(self, patterns: Sequence[str], kept: frozenset[str] = frozenset()) -> None:
        self.patterns = tuple(line for line in patterns if line.strip() and not line.startswith("#"))
        for pattern in self.patterns:
            _check_pattern(pattern)
        self._spec = GitIgnoreSpec.from_lines([normalize("NFC", pattern) for pattern in self.patterns])
        self._kept = kept
        self._kept_folders = {path[: end.start()] for path in kept for end in re.finditer("/", path)}

    def leave_out(self, path: str, *, is_folder: bool) -> bool:
        """Return whether a file or folder is excluded. It must not be below an excluded one.

        Args:
            path: The path from the folder.
            is_folder: Whether it is a folder.
        """
        if not self.patterns:
            return False
        path = normalize("NFC", path)
        if path in (self._kept_folders if is_folder else self._kept):
            return False
        return self._spec.match_file(f"{path}/" if is_folder else path)


def _check_pattern(pattern: str) -> None:
    if len(re.findall(r"\*+", pattern)) > _MAX_STARS:
        raise InvalidInput(
            f"The ignore pattern {pattern[:80]!r} has more than {_MAX_STARS} stars.", hint="Split it into several."
        )
    try:
        GitIgnoreSpec.from_lines([pattern])
    except (ValueError, re.error):
        raise InvalidInput(
            f"The ignore pattern {pattern[:80]!r} is invalid.", hint="Patterns have the syntax of .gitignore."
        ) from None
