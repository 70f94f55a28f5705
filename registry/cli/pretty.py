"""Print tables and progress bars."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

UNFOLDED_COLUMNS = 1000


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table. Its lines are folded at a terminal only."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(width=None if sys.stdout.isatty() else UNFOLDED_COLUMNS).print(table)


class Bar:
    """A progress bar of bytes, on standard error; removed at the end.

    Args:
        subject: The text in front of the bar.
    """

    def __init__(self, subject: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(subject)
        self._progress.start()

    def show(self, done: int, total: int) -> None:
        """Show the number of bytes that are done, of a total."""
        self._progress.update(self._task, completed=done, total=total)

    def end(self) -> None:
        """Remove the bar."""
        self._progress.stop()
