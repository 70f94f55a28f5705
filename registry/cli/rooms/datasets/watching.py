"""The parts of `tdr watch`: detect changes of files, record the outcome of checks, and notify of changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx

from registry.base.errors import Unavailable
from registry.base.urls import parse_http_url
from registry.cli.times import show_time

LOOK_SECONDS: Final = 2.0
"""The interval at which a folder is read for changes."""
WEBHOOK_SECONDS: Final = 10.0


class Outcome(StrEnum):
    """The outcome of a check."""

    INTACT = "intact"
    DRIFT = "drift"
    UNKNOWN = "unknown"
    """The check failed with an error."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One check.

    Args:
        time: When it ended, Unix seconds, UTC.
        path: The path that was checked.
        outcome: The outcome.
        reason: The error, or why the path is gone; otherwise empty.
        report: The document of `tdr verify --json`; incomplete if the check failed.
    """

    time: int
    path: str
    outcome: Outcome
    reason: str
    report: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the observation as one JSON object."""
        members = ("datasetId", "version", "contentRoot", "asOfBlock", "mismatches")
        return {
            "time": show_time(self.time),
            "path": self.path,
            "outcome": self.outcome.value,
            "reason": self.reason or None,
            **{name: self.report.get(name) for name in members},
        }

    def differs_from(self, earlier: Observation | None) -> bool:
        """Return whether it differs from the previous one; with no previous one, whether it is not intact."""
        if earlier is None:
            return self.outcome is not Outcome.INTACT
        return (self.outcome, self.report.get("mismatches")) != (earlier.outcome, earlier.report.get("mismatches"))


@dataclass(slots=True)
class ChangeNotifier:
    """Notify of changed outcomes. A failed notification is repeated with the next check.

    Args:
        send: Send an observation.
        last: The last observation that was sent or needed no notification.
    """

    send: Callable[[Observation], None]
    last: Observation | None = None

    def notify(self, seen: Observation) -> None:
        """Send an observation if it differs from the last one.

        Raises:
            Unavailable: It could not be sent.
        """
        if seen.differs_from(self.last):
            self.send(seen)
        self.last = seen


def is_gone(path: Path) -> bool:
    """Return whether a path does not exist; False where that is not known, for example in an unreadable folder."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def fingerprint(path: Path) -> bytes:
    """Return a digest that changes when a file below a path is written, created, removed or renamed.

    It is made of the files' sizes, times and numbers. Their content is not read.
    """
    digest = sha256()
    for line in _stats(path):
        digest.update(line)
    return digest.digest()


def _stats(path: Path) -> Iterator[bytes]:
    folders = [os.fsencode(path)]
    yield _stat(folders[0])
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                children = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue  # Not a folder, or removed: its own line shows that.
        for entry in children:
            yield _stat(entry.path)
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)


def _stat(path: bytes) -> bytes:
    try:
        status = os.lstat(path)
    except OSError:
        return b"%b\0gone\n" % path
    numbers = (status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return b"%b\0%b\n" % (path, repr(numbers).encode())


def checked_webhook(url: str) -> str:
    """Return the address of a webhook, checked.

    Raises:
        InvalidInput: It is not an http or https address.
    """
    parse_http_url(url, "A webhook's")
    return url


def post(url: str, seen: Observation) -> None:
    """Send an observation to a webhook, as one POST of its JSON object. Redirects are not followed.

    Raises:
        Unavailable: The webhook gave no answer, or did not answer with success.
    """
    try:
        answer = httpx.post(url, json=seen.to_json(), timeout=WEBHOOK_SECONDS, follow_redirects=False, trust_env=False)
    except httpx.HTTPError as error:
        raise Unavailable(f"The webhook gave no answer ({type(error).__name__}).") from error
    if not answer.is_success:
        raise Unavailable(f"The webhook answered with HTTP status {answer.status_code}.")
