"""The changes that a watch detects, and its notifications."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from registry.base.errors import InvalidInput, Unavailable
from registry.cli.rooms.datasets.watching import (
    ChangeNotifier,
    Observation,
    Outcome,
    checked_webhook,
    fingerprint,
    post,
)


def seen(outcome: Outcome, *mismatches: str) -> Observation:
    found = [{"path": path, "expected": None, "found": "00"} for path in mismatches]
    return Observation(1_795_406_400, "data", outcome, "", {"mismatches": found})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data/inner").mkdir(parents=True)
    (tmp_path / "data/inner/a.csv").write_text("1")
    return tmp_path / "data"


def write(folder: Path) -> None:
    (folder / "inner/a.csv").write_text("2")


def write_with_the_old_times(folder: Path) -> None:
    file = folder / "inner/a.csv"
    times = file.stat()
    file.write_text("2")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def make(folder: Path) -> None:
    (folder / "inner/b.csv").write_text("1")


def remove(folder: Path) -> None:
    (folder / "inner/a.csv").unlink()


def rename(folder: Path) -> None:
    (folder / "inner").rename(folder / "outer")


def replace_by_a_link(folder: Path) -> None:
    (folder / "inner/a.csv").rename(folder.parent / "a.csv")
    (folder / "inner/a.csv").symlink_to(folder.parent / "a.csv")


def vanish(folder: Path) -> None:
    folder.rename(folder.parent / "elsewhere")


@pytest.mark.parametrize("change", [write, write_with_the_old_times, make, remove, rename, replace_by_a_link, vanish])
def test_every_kind_of_change_alters_the_fingerprint(folder: Path, change: Any) -> None:
    before = fingerprint(folder)
    assert fingerprint(folder) == before
    change(folder)
    assert fingerprint(folder) != before


def test_reading_does_not_alter_the_fingerprint(folder: Path) -> None:
    before = fingerprint(folder)
    (folder / "inner/a.csv").read_text()
    assert fingerprint(folder) == before


def test_only_changed_outcomes_are_sent() -> None:
    sent: list[Observation] = []
    notifier = ChangeNotifier(sent.append)
    intact, drift, worse = seen(Outcome.INTACT), seen(Outcome.DRIFT, "a"), seen(Outcome.DRIFT, "a", "b")
    for one in (intact, intact, drift, drift, worse, intact, intact, drift):
        notifier.notify(one)
    assert sent == [drift, worse, intact, drift]


def test_a_failed_notification_is_repeated_with_the_next_check() -> None:
    failures, sent = [True], []

    def send(one: Observation) -> None:
        if failures:
            failures.pop()
            raise Unavailable("No answer.")
        sent.append(one)

    notifier, drift = ChangeNotifier(send), seen(Outcome.DRIFT, "a")
    with pytest.raises(Unavailable):
        notifier.notify(drift)
    notifier.notify(drift)
    notifier.notify(drift)
    assert sent == [drift]


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted; redirects at /away, fails at /broken."""

    posted: list[Any]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        type(self).posted.append((self.path, body))
        self.send_response({"/away": 307, "/broken": 500}.get(self.path, 204))
        self.send_header("location", "/elsewhere")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    handler = type("OneHook", (Hook,), {"posted": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler.posted
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_gets_one_json_object(hook: tuple[str, list[Any]]) -> None:
    url, posted = hook
    post(f"{url}/alarm", seen(Outcome.DRIFT, "a.csv"))
    ((path, body),) = posted
    assert path == "/alarm"
    assert body["outcome"] == "drift"
    assert body["time"] == "2026-11-23T04:00:00Z"
    assert body["mismatches"] == [{"path": "a.csv", "expected": None, "found": "00"}]


def test_a_webhook_that_redirects_or_fails_is_not_taken_for_told(hook: tuple[str, list[Any]]) -> None:
    url, posted = hook
    with pytest.raises(Unavailable, match="307"):
        post(f"{url}/away", seen(Outcome.DRIFT))
    with pytest.raises(Unavailable, match="500"):
        post(f"{url}/broken", seen(Outcome.DRIFT))
    assert [path for path, _ in posted] == ["/away", "/broken"]


@pytest.mark.parametrize("url", ["", "example.org", "file:///etc/passwd", "gopher://x/", "http://"])
def test_a_webhook_is_http(url: str) -> None:
    with pytest.raises(InvalidInput):
        checked_webhook(url)
