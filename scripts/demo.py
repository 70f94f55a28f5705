"""Demonstrate the whole workflow on real data, with real processes: `make demo`.

A node is started on a free port with its data in a temporary folder. An owner registers the penguins of examples/,
revises them, grants an analyst access and revokes it. An auditor verifies, and detects a single changed byte. The node
is killed without warning, restarted, and has kept everything. Each step states its expectation, and the script ends
with exit code 1 at the first unexpected result.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
TDR = Path(sys.executable).with_name("tdr")
STOP_SECONDS = 120
COMMAND_SECONDS = 300
SHORT_GRANT_SECONDS = (10, 40, 160)
"""How long the first grant holds. On a slow machine it may end before it is signed: then the next is tried."""
PASSWORD = "a password for the demo"  # noqa: S105 - of keys that are made here and thrown away


Run = Callable[[Sequence[str], Mapping[str, str]], subprocess.CompletedProcess[str]]
"""Runs `tdr` with arguments and an environment, in the project's folder."""


class Surprise(Exception):
    """The error for a result that the demo does not expect."""


class Node:
    """A `tdr up` in a separate process.

    Args:
        data: Its data folder.
        options: Further options of `tdr up`.
        environment: Environment variables in addition to those of this process.
    """

    def __init__(self, data: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self._data = data
        self._environment = {**os.environ, **(environment or {})}
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start the process, and wait until it reports that it is up."""
        log = self._data.with_suffix(".log")
        with log.open("a") as errors:
            self._process = subprocess.Popen(
                [TDR, "up", "--data", self._data, "--port", "0", *self._options],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=self._environment,
                text=True,
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("The node is up at "):
                self.url = line.split()[-1]
                return
        raise Surprise(f"The node did not come up. It logged:\n{log.read_text()[-2000:]}")

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Kill the process with SIGKILL, without any cleanup."""
        self._end(signal.SIGKILL)

    def stop(self) -> int | None:
        """Stop the process and return its exit code; None if it does not run."""
        return self._end(signal.SIGTERM)

    def _end(self, with_signal: signal.Signals) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(with_signal)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Surprise(f"The node did not end within {STOP_SECONDS} s of {with_signal.name}.") from None


class Stage:
    """A runner of commands that also shows them.

    Args:
        home: The folder of keys and copies.
        node: The node that the commands talk to.
        run: How commands are run.
    """

    def __init__(self, home: Path, node: Node, run: Run) -> None:
        self._home = home
        self._node = node
        self._run = run

    def tdr(self, *arguments: object, code: int = 0, or_code: int | None = None, shown: bool = True) -> str:
        """Run a command, show it with its output, and require its exit code."""
        words = [str(argument) for argument in arguments]
        if shown:
            say(
                f"  $ tdr {' '.join(f'{word!r}' if ' ' in word else word for word in words)}".replace(
                    str(self._home), "."
                )
            )
        told = {"TDR_GATEWAY": self._node.url, "TDR_KEYS": str(self._home / "keys"), "TDR_KEY_PASSWORD": PASSWORD}
        done = self._run(words, {**os.environ, **told})
        if shown:
            for line in (done.stdout + done.stderr).splitlines():
                say(f"    {line}".rstrip().replace(str(self._home), "."))
        if done.returncode not in (code, or_code):
            raise Surprise(f"Exit code {code} was expected, but it is {done.returncode}. {done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        """Run a command without showing it, and return its JSON document."""
        document: dict[str, Any] = json.loads(self.tdr(*arguments, "--json", code=code, shown=False))
        return document

    def is_allowed(self, dataset: str, address: str) -> bool:
        """Return whether an account may use a dataset now, without showing the command."""
        answer = json.loads(self.tdr("access", dataset, address, "--json", or_code=1, shown=False))
        return bool(answer["allowed"])

    def write(self, *arguments: object, or_code: int | None = None) -> dict[str, Any]:
        """Run a writing command, show the main results, and return its JSON document."""
        document: dict[str, Any] = json.loads(self.tdr(*arguments, "--json", or_code=or_code, shown=False))
        words = [str(argument) for argument in arguments]
        say(f"  $ tdr {' '.join(f'{word!r}' if ' ' in word else word for word in words)}".replace(str(self._home), "."))
        for name in ("datasetId", "version", "files", "contentRoot", "expiresAt", "transactionHash", "blockNumber"):
            if document.get(name) is not None:
                say(f"    {name:<16} {document[name]}")
        return document


def say(line: str = "") -> None:
    """Print a text for the viewer."""
    print(line, flush=True)


def expect(what: object, *, to_be: object, of: str) -> None:
    """End the demo if a condition is not met."""
    if what != to_be:
        raise Surprise(f"{of} was expected to be {to_be!r}, but it is {what!r}.")


def flip_one_byte(file: Path) -> None:
    """Flip the lowest bit of one byte in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@dataclass(frozen=True)
class Play:
    """What the acts of the demo share.

    Args:
        stage: Where commands are run.
        node: The node.
        home: The folder of keys and copies.
        analyst: The analyst's address.
        dataset: The dataset's id.
    """

    stage: Stage
    node: Node
    home: Path
    analyst: str
    dataset: str

    @property
    def files(self) -> Path:
        """The owner's files."""
        return self.home / "penguins"

    @property
    def first(self) -> Path:
        """A copy of the files as they were in version 1."""
        return self.home / "first"

    @property
    def short(self) -> str:
        """The first digits of the dataset's id, as people type them."""
        return self.dataset[:10]


def perform(stage: Stage, node: Node, home: Path) -> None:
    """Run the whole demo."""
    say("1. Start a node: a chain, the contracts on it, a gateway.")
    node.start()
    say(f"    up at {node.url}")

    say("\n2. An owner and an analyst make keys. They never leave their machines.")
    owner = stage.ask("keys", "new", "owner")["address"]
    analyst = stage.ask("keys", "new", "analyst")["address"]
    say(f"    owner   {owner}\n    analyst {analyst}")

    play = Play(stage, node, home, analyst, register(stage, home / "penguins"))
    revise(play)
    grant(play)
    revoke(play)
    verify(play)
    find_a_flipped_bit(play)
    kill_the_node(play)


def register(stage: Stage, files: Path) -> str:
    """Register the penguins; return the dataset's id."""
    say("\n3. The owner registers a real dataset. The files are hashed here; the signature covers their content root.")
    shutil.copytree(ROOT / "examples" / "penguins", files)
    first = stage.write("register", files, "--name", "Palmer penguins", "--license", "CC0-1.0", "--key", "owner")
    expect((first["version"], first["files"]), to_be=(1, 3), of="Version and number of files")
    return str(first["datasetId"])


def revise(play: Play) -> None:
    """Add a file, and register the second version."""
    say("\n4. A month later the owner adds a note: version 2. Version 1 can still be proven.")
    shutil.copytree(play.files, play.first)
    (play.files / "NOTES.md").write_text("Checked against the publication.\n")
    second = play.stage.write("revise", play.short, play.files, "--key", "owner")
    expect((second["version"], second["files"]), to_be=(2, 4), of="Version and number of files")


def grant(play: Play) -> None:
    """Grant the analyst access for a few seconds, and wait until it has ended."""
    say("\n5. May the analyst read it? Not before the owner grants it, and not after the grant has expired.")
    stage, access = play.stage, ("access", play.short, play.analyst)
    stage.tdr(*access, code=1)
    seconds, granted = grant_for_a_short_time(play)
    during = stage.ask(*access, "--at", granted["startsAt"])
    expect(during["allowed"], to_be=True, of="Access during the grant")
    stage.tdr(*access, "--at", granted["startsAt"])
    while stage.is_allowed(play.short, play.analyst):
        time.sleep(0.5)
    say(f"    ... {seconds} seconds have passed ...")
    stage.tdr(*access, code=1)


def grant_for_a_short_time(play: Play) -> tuple[int, dict[str, Any]]:
    """Grant access for so few seconds that the audience can wait for its end; return them, and the command's result."""
    *short, last = SHORT_GRANT_SECONDS
    for seconds in short:
        granted = play.stage.write(*_grant_command(play, f"{seconds}s"), or_code=2)
        if "startsAt" in granted:
            return seconds, granted
    return last, play.stage.write(*_grant_command(play, f"{last}s"))


def _grant_command(play: Play, until: str) -> tuple[str, ...]:
    return ("grant", play.short, play.analyst, "--rights", "read,derive", "--until", until, "--key", "owner")


def revoke(play: Play) -> None:
    """Grant access again, and revoke it."""
    say("\n6. Granted again for 30 days, and revoked. The record that it was valid until then remains.")
    stage = play.stage
    stage.write("grant", play.short, play.analyst, "--rights", "read", "--until", "30d", "--key", "owner")
    stage.tdr("access", play.short, play.analyst)
    stage.write("revoke", play.short, play.analyst, "--key", "owner")
    stage.tdr("access", play.short, play.analyst, code=1)


def verify(play: Play) -> None:
    """Verify both versions."""
    say("\n7. An auditor verifies the files against the chain itself, both versions.")
    play.stage.tdr("verify", play.files, "--dataset", play.short)
    first = play.stage.ask("verify", play.first, "--dataset", play.dataset, "--version", 1)
    expect(first["verified"], to_be=True, of="Version 1")


def find_a_flipped_bit(play: Play) -> None:
    """Change one bit of a file, which the verification must name."""
    say("\n8. One bit in one file is changed. The verification fails and names the file.")
    flip_one_byte(play.files / "penguins-raw.csv")
    play.stage.tdr("verify", play.files, "--dataset", play.short, code=1)
    refused = play.stage.ask("verify", play.files, "--dataset", play.short, code=1)
    expect([one["path"] for one in refused["mismatches"]], to_be=["penguins-raw.csv"], of="The file that differs")


def kill_the_node(play: Play) -> None:
    """Kill the node, start it again, and compare what it knows."""
    say("\n9. The node is killed (SIGKILL), and started again on the same folder.")
    stage, node = play.stage, play.node
    before = _known(stage, play.dataset)
    node.kill()
    stage.tdr("show", play.short, code=2)
    node.start()
    say(f"    up again at {node.url}")
    expect(_known(stage, play.dataset), to_be=before, of="What the node knows")
    stage.tdr("history", play.short)
    stage.tdr("verify", play.first, "--dataset", play.short, "--version", 1, shown=False)
    say("    Everything is still there, and still verifies.")
    expect(node.stop(), to_be=0, of="The node's exit code after SIGTERM")


def _known(stage: Stage, dataset: str) -> Mapping[str, object]:
    """Return everything that was written, without the height at which it was read."""
    shown = stage.ask("show", dataset)
    history = stage.ask("history", dataset)
    return {"history": history["items"]} | {
        name: value for name, value in shown.items() if name not in ("asOfBlock", "asOfBlockHash", "finalBlock")
    }


def run_installed(words: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the installed `tdr`."""
    return subprocess.run(
        [TDR, *words],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def fail(message: str) -> NoReturn:
    """End with exit code 1."""
    say(f"\nSURPRISE: {message}")
    sys.exit(1)


def main(run: Run = run_installed) -> None:
    """Perform the demo in a temporary folder."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tdr-demo-") as folder:
        home = Path(folder)
        node = Node(home / "node")
        try:
            perform(Stage(home, node, run), node, home)
        except (Surprise, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
            fail(str(error))
        finally:
            node.kill()
    say(f"\nAll as expected, in {time.monotonic() - started:.0f} seconds.")


if __name__ == "__main__":
    main()
