"""Allow one process per role and data folder."""

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
    """A lock that the operating system releases when the process ends, however it ends.

    Args:
        folder: The data folder; created if needed, readable by its owner only.
        roles: The roles of this process. Another process may have other roles in the same folder.

    Raises:
        Conflict: Another process has one of these roles.
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
        """Warn if an existing folder is accessible to others: anyone who can read a database can also lock it.

        Its permissions are not changed, because it may be shared on purpose or serve other purposes.
        """
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & 0o077:
            log.warning(
                "data_folder_open_to_others", folder=str(folder), mode=f"{mode:04o}", hint=f"Run: chmod 700 {folder}"
            )

    def _take(self, folder: Path, role: str) -> None:
        file = os.open(folder / f"{role}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._files.append(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"Another node uses the data folder {folder} (as its {role}).",
                hint="Stop it, or use another folder with --data.",
            ) from None

    def release(self) -> None:
        """Release the lock."""
        while self._files:
            os.close(self._files.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
