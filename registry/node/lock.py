"""One process a role and data folder."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from registry.base.errors import Conflict, InvalidInput

log = structlog.get_logger(__name__)


class FolderLock:
    """A lock that the operating system lets go of when the process ends, however it ends.

    Args:
        folder: The data folder; created if need be, readable by its owner alone.
        roles: What this process does with it. Another process may hold other roles of the same folder.

    Raises:
        Conflict: Another process does one of these already.
        InvalidInput: The folder cannot be used.
    """

    def __init__(self, folder: Path, roles: tuple[str, ...]) -> None:
        self._files: list[int] = []
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._warn_if_open(folder)
            for role in roles:
                self._take(folder, role)
        except OSError as error:
            self.release()
            raise InvalidInput(f"The data folder {folder} cannot be used: {error.strerror}.") from error
        except Conflict:
            self.release()
            raise

    @staticmethod
    def _warn_if_open(folder: Path) -> None:
        """Warn of a folder made beforehand that others may enter: whoever reads a database may also lock it.

        Its permissions are not changed here: it may be shared on purpose, or be more than a data folder.
        """
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & 0o077:
            log.warning(
                "data_folder_open_to_others", folder=str(folder), mode=f"{mode:04o}", hint=f"Say: chmod 700 {folder}"
            )

    def _take(self, folder: Path, role: str) -> None:
        file = os.open(folder / f"{role}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._files.append(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"Another node uses the data folder {folder} (as its {role}).",
                hint="Stop it, or give this one a folder of its own with --data.",
            ) from None

    def release(self) -> None:
        """Lets go."""
        while self._files:
            os.close(self._files.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
