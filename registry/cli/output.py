"""Print the output of commands: JSON or lines for people on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from registry.cli.lazy import lazy

if TYPE_CHECKING:
    from registry.cli import pretty
else:
    pretty = lazy("registry.cli.pretty")

QUIET_SECONDS = 1.0
"""Progress is shown for work that takes longer than this."""


def print_json(document: object) -> None:
    """Print the one JSON document of a command."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def print_line(text: str = "") -> None:
    """Print a line for people. Pass untrusted text through `plain` first."""
    sys.stdout.write(text + "\n")


def print_warning(text: str) -> None:
    """Print one line of warning on standard error; the command continues."""
    sys.stderr.write(f"warning: {one_line(text)}\n")


def print_note(text: str) -> None:
    """Print one line of information on standard error."""
    sys.stderr.write(f"note: {one_line(text)}\n")


def plain(text: object) -> str:
    """Return untrusted text in a form that is safe on a terminal.

    Control characters, which could move the cursor or hide text, and characters that change the writing direction are
    escaped.
    """
    return "".join(
        char if char == " " or unicodedata.category(char)[0] not in "CZ" else repr(char)[1:-1] for char in str(text)
    )


def one_line(text: str) -> str:
    """Return untrusted text on one line, in a form that is safe on a terminal."""
    return plain(" ".join(text.split()))


def print_fields(fields: Mapping[str, object]) -> None:
    """Print names and values in two columns, lists with commas. None and empty values are left out."""
    shown = {name: value for name, value in fields.items() if value not in (None, "", [], ())}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        print_line(f"{name:<{width}}  {plain(text)}")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table whose columns are aligned with wide characters, such as Chinese ones, too."""
    pretty.print_table(headings, ([plain("" if cell is None else cell) for cell in row] for row in rows))


@contextmanager
def hashing_bar(subject: str) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function that shows progress of hashing, after a second, on standard error; None without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    started = time.monotonic()
    bar: pretty.Bar | None = None

    def advance(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            if time.monotonic() - started < QUIET_SECONDS:
                return
            bar = pretty.Bar(f"hashing {plain(subject)}")
        bar.show(done, total)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.end()


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Give a function that rewrites one line on standard error, removed at the end; no output without a terminal."""
    shows = sys.stderr.isatty()

    def show(text: str) -> None:
        if shows:
            sys.stderr.write(f"\r\x1b[2K{plain(text)}")
            sys.stderr.flush()

    try:
        yield show
    finally:
        if shows:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
