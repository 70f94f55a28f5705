"""The data folder's lock, and who may enter the folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from registry.node.lock import FolderLock


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o777])
def test_a_folder_made_beforehand_that_others_may_enter_is_warned_of(tmp_path: Path, mode: int) -> None:
    """A12: others could read the databases in it, and hold locks on them."""
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    with capture_logs() as logs, FolderLock(folder, ("relayer",)):
        pass
    (warning,) = logs
    assert (warning["event"], warning["log_level"]) == ("data_folder_open_to_others", "warning")
    assert warning["mode"] == f"{mode:04o}"
    assert warning["hint"] == f"Run: chmod 700 {folder}"


def test_a_folder_of_its_owner_alone_is_not(tmp_path: Path) -> None:
    with capture_logs() as logs:
        for _ in range(2):
            with FolderLock(tmp_path / "new", ("relayer",)):
                pass
    assert logs == []
