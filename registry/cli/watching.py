"""Verifying again and again: when to look, what was seen, and whom to tell."""

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
"""How often a folder is looked at for changes."""
WEBHOOK_SECONDS: Final = 10.0


class Outcome(StrEnum):
    """What came out of a check."""

    INTACT = "intact"
    DRIFT = "drift"
    UNKNOWN = "unknown"
    """It could not be told."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One check.

    Args:
        time: When it ended, Unix seconds, UTC.
        path: What was checked.
        outcome: What came out.
        reason: Why it could not be told, or empty.
        report: What `tdr verify --json` would say; empty where it could not be told.
    """

    time: int
    path: str
    outcome: Outcome
    reason: str
    report: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """One JSON object: what happened, and what to know of it."""
        told = ("datasetId", "version", "contentRoot", "asOfBlock", "mismatches")
        return {
            "time": show_time(self.time),
            "path": self.path,
            "outcome": self.outcome.value,
            "reason": self.reason or None,
            **{name: self.report.get(name) for name in told},
        }

    def differs_from(self, earlier: Observation | None) -> bool:
        """Whether it is news to somebody who heard of the earlier one. That all is well is no news at first."""
        if earlier is None:
            return self.outcome is not Outcome.INTACT
        return (self.outcome, self.report.get("mismatches")) != (earlier.outcome, earlier.report.get("mismatches"))


@dataclass(slots=True)
class Bell:
    """Tells of what changed; what could not be delivered is told again with the next check.

    Args:
        ring: Tells of an observation.
        heard: The last that was told.
    """

    ring: Callable[[Observation], None]
    heard: Observation | None = None

    def hear(self, seen: Observation) -> None:
        """Tells of an observation if it is news.

        Raises:
            Unavailable: It could not be told.
        """
        if seen.differs_from(self.heard):
            self.ring(seen)
        self.heard = seen


def is_gone(path: Path) -> bool:
    """Whether there is nothing at a path; not so where it cannot be told, as in a folder that may not be entered."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def fingerprint(path: Path) -> bytes:
    """What changes when a file below a path is written, made, removed or renamed; its content is not read."""
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
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue  # No folder, or gone: its own line tells.
        for entry in found:
            yield _stat(entry.path)
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)


def _stat(path: bytes) -> bytes:
    try:
        found = os.lstat(path)
    except OSError:
        return b"%b\0gone\n" % path
    numbers = (found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return b"%b\0%b\n" % (path, repr(numbers).encode())


def checked_webhook(url: str) -> str:
    """The address of a webhook.

    Raises:
        InvalidInput: It is none of http or https.
    """
    parse_http_url(url, "A webhook's")
    return url


def post(url: str, seen: Observation) -> None:
    """Tells a webhook, by one POST of the JSON object. Redirects are not followed.

    Raises:
        Unavailable: It gave no answer, or another than success.
    """
    try:
        answer = httpx.post(url, json=seen.to_json(), timeout=WEBHOOK_SECONDS, follow_redirects=False, trust_env=False)
    except httpx.HTTPError as error:
        raise Unavailable(f"The webhook gave no answer ({type(error).__name__}).") from error
    if not answer.is_success:
        raise Unavailable(f"The webhook answered with HTTP status {answer.status_code}.")
