"""What only a person at a terminal sees: password prompts that echo nothing, and progress on standard error."""

from __future__ import annotations

import os
import pty
import select
import sys
import termios
import time
from pathlib import Path

import pytest

from registry.keys.signer import Signer
from tests.fixtures.commands import TDR, refused, yes
from tests.fixtures.nodes import PASSWORD, NodeProcess, Tdr
from tests.fixtures.waiting import PATIENCE, eventually

BAR = """
import sys
from registry.cli import output
output.QUIET_SECONDS = 0.0
with output.hashing_bar("数据/\\x1b[2J") as progress:
    for done in range(1, 6):
        progress(done * 10, 50)
sys.stdout.write("done")
"""


def at_terminal(
    words: list[str], typed: dict[bytes, bytes], environment: dict[str, str], *, hidden: bool = True
) -> tuple[int, bytes]:
    """Run a program at a terminal of its own, type an answer after each prompt, return its exit code and screen."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(words[0], words, environment)  # noqa: S606
    screen, answered, deadline = b"", 0, time.monotonic() + PATIENCE
    waiting = dict(typed)
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if not ready:
            continue
        try:
            part = os.read(terminal, 4096)
        except OSError:  # The program has ended.
            break
        if not part:
            break
        screen += part
        for prompt, answer in list(waiting.items()):
            if prompt in screen[answered:]:
                if hidden:  # What is typed before the program hides it would be shown, and then thrown away.
                    eventually(lambda: not termios.tcgetattr(terminal)[3] & termios.ECHO)
                answered = len(screen)
                del waiting[prompt]
                os.write(terminal, answer + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), screen


def environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TDR_KEYS": str(tmp_path / "keys"), "TERM": "xterm-256color"}


def test_a_password_is_asked_for_twice_and_never_shown(tmp_path: Path) -> None:
    """R10: no password on the screen."""
    typed = {b"Password for the new key": b"canary-4711", b"Repeat": b"canary-4711"}
    code, screen = at_terminal([str(TDR), "keys", "new", "alice"], typed, environment(tmp_path))
    assert code == 0, screen
    assert b"canary" not in screen
    assert (tmp_path / "keys" / "alice.json").exists()


def test_hashing_shows_its_progress_at_a_terminal(tmp_path: Path) -> None:
    code, screen = at_terminal([sys.executable, "-c", BAR], {}, environment(tmp_path))
    assert code == 0, screen
    assert "hashing 数据/".encode() in screen
    assert b"50 bytes" in screen
    # The name's escape sequence is shown, and not carried out.
    assert b"\\x1b[2J" in screen


@pytest.mark.parametrize("words", [("withdraw",), ("transfer", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8")])
def test_what_cannot_be_undone_is_asked_first_and_done_only_on_yes(
    words: tuple[str, ...], tdr: Tdr, node: NodeProcess, key_folder: Path, files: Path, keys: dict[str, Signer]
) -> None:
    dataset = yes(tdr("register", files, "--name", "Wörter 数据", "--key", "owner", "--json"))["datasetId"]
    command = [str(TDR), words[0], dataset, *words[1:], "--key", "owner"]
    variables = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "TDR_GATEWAY": node.url,
        "TDR_KEYS": str(key_folder),
        "TDR_KEY_PASSWORD": PASSWORD,
    }
    assert "--yes" in refused(tdr(*command[1:]))
    for answer in (b"n", b""):
        code, screen = at_terminal(command, {b"[y/N]": answer}, variables, hidden=False)
        assert code == 2
        assert b"nothing was sent" in screen
        assert f"{dataset} (Wörter 数据)".encode() in screen
        assert all(word.encode() in screen for word in words[1:])
    shown = yes(tdr("show", dataset, "--json"))
    assert (shown["status"], shown["owner"]) == ("active", str(keys["owner"].address))
    code, screen = at_terminal(command, {b"[y/N]": b"y"}, variables, hidden=False)
    assert code == 0, screen
    assert len(yes(tdr("history", dataset, "--json"))["items"]) == 2
