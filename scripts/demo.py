"""The whole way on real data, with real processes: `make demo`.

A node is started on a free port with its data in a temporary folder. An owner registers the penguins of examples/,
revises them, grants an analyst access and revokes it; an auditor verifies, and finds the one byte that somebody
flipped; the node is killed without warning, started again, and knows everything. Each step says what it expects, and
the script ends with exit code 1 at the first surprise.
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
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
TDR = Path(sys.executable).with_name("tdr")
START_SECONDS = 30
COMMAND_SECONDS = 60
SHORT_GRANT_SECONDS = 10


class Surprise(Exception):
    """Something was not as the demo expects it."""


class Node:
    """A `tdr up` in a process of its own.

    Args:
        data: Its data folder.
        options: More options of `tdr up`.
        environment: Variables beside those of this process.
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
            return process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Surprise(f"The node did not end within {START_SECONDS} s of {with_signal.name}.") from None


class Stage:
    """Runs commands as their users would, and shows them.

    Args:
        home: The folder of keys and copies.
        node: The node that the commands talk to.
    """

    def __init__(self, home: Path, node: Node) -> None:
        self._home = home
        self._node = node

    def tdr(self, *arguments: object, code: int = 0, or_code: int | None = None, shown: bool = True) -> str:
        """Run a command, show it with its output, and require an exit code, or another."""
        words = [str(argument) for argument in arguments]
        if shown:
            say(
                f"  $ tdr {' '.join(f'{word!r}' if ' ' in word else word for word in words)}".replace(
                    str(self._home), "."
                )
            )
        done = subprocess.run(
            [TDR, *words],
            env={
                **os.environ,
                "TDR_GATEWAY": self._node.url,
                "TDR_KEYS": str(self._home / "keys"),
                "TDR_KEY_PASSWORD": "a password for the demo",
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
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

    def write(self, *arguments: object) -> dict[str, Any]:
        """Run a writing command, show the main results, and return its JSON document."""
        document: dict[str, Any] = json.loads(self.tdr(*arguments, "--json", shown=False))
        words = [str(argument) for argument in arguments]
        say(f"  $ tdr {' '.join(f'{word!r}' if ' ' in word else word for word in words)}".replace(str(self._home), "."))
        for name in ("datasetId", "version", "files", "contentRoot", "expiresAt", "transactionHash", "blockNumber"):
            if document.get(name) is not None:
                say(f"    {name:<16} {document[name]}")
        return document


def say(line: str = "") -> None:
    """Print a text for the audience."""
    print(line, flush=True)


def expect(what: object, *, to_be: object, of: str) -> None:
    """End the demo if a condition is not met."""
    if what != to_be:
        raise Surprise(f"{of} was expected to be {to_be!r}, but it is {what!r}.")


def flip_one_byte(file: Path) -> None:
    """Changes one byte in the middle of a file, in its lowest bit."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def perform(stage: Stage, node: Node, home: Path) -> None:
    """Run the whole demo."""
    say("1. A node of one's own: a chain, the contracts on it, a gateway.")
    node.start()
    say(f"    up at {node.url}")

    say("\n2. An owner and an analyst make keys. They never leave their machines.")
    owner = stage.ask("keys", "new", "owner")["address"]
    analyst = stage.ask("keys", "new", "analyst")["address"]
    say(f"    owner   {owner}\n    analyst {analyst}")

    say("\n3. The owner registers a real dataset. The files are hashed here; what is signed is their content root.")
    files = home / "penguins"
    shutil.copytree(ROOT / "examples" / "penguins", files)
    first = stage.write("register", files, "--name", "Palmer penguins", "--license", "CC0-1.0", "--key", "owner")
    dataset = first["datasetId"]
    short = dataset[:10]
    expect((first["version"], first["files"]), to_be=(1, 3), of="Version and number of files")

    say("\n4. A month later the owner adds a note: version 2. Version 1 stays provable.")
    shutil.copytree(files, home / "first")
    (files / "NOTES.md").write_text("Checked against the publication.\n")
    second = stage.write("revise", short, files, "--key", "owner")
    expect((second["version"], second["files"]), to_be=(2, 4), of="Version and number of files")

    say("\n5. May the analyst read it? Not before the owner grants it, and not after the grant has expired.")
    stage.tdr("access", short, analyst, code=1)
    granted = stage.write(
        "grant", short, analyst, "--rights", "read,derive", "--until", f"{SHORT_GRANT_SECONDS}s", "--key", "owner"
    )
    during = stage.ask("access", short, analyst, "--at", granted["startsAt"])
    expect(during["allowed"], to_be=True, of="Access during the grant")
    stage.tdr("access", short, analyst, "--at", granted["startsAt"])
    while stage.is_allowed(short, analyst):
        time.sleep(0.5)
    say(f"    ... {SHORT_GRANT_SECONDS} seconds have passed ...")
    stage.tdr("access", short, analyst, code=1)

    say("\n6. Granted again for 30 days, and revoked. That it was held until then stays on record.")
    stage.write("grant", short, analyst, "--rights", "read", "--until", "30d", "--key", "owner")
    stage.tdr("access", short, analyst)
    stage.write("revoke", short, analyst, "--key", "owner")
    stage.tdr("access", short, analyst, code=1)

    say("\n7. An auditor verifies the files against the chain itself, both versions.")
    stage.tdr("verify", files, "--dataset", short)
    expect(
        stage.ask("verify", home / "first", "--dataset", dataset, "--version", 1)["verified"],
        to_be=True,
        of="Version 1",
    )

    say("\n8. Somebody flips one bit in one file. The refusal names the file.")
    flip_one_byte(files / "penguins-raw.csv")
    stage.tdr("verify", files, "--dataset", short, code=1)
    refused = stage.ask("verify", files, "--dataset", short, code=1)
    expect([one["path"] for one in refused["mismatches"]], to_be=["penguins-raw.csv"], of="The file that differs")

    say("\n9. The node is killed (SIGKILL), and started again on the same folder.")
    before = _known(stage, dataset)
    node.kill()
    stage.tdr("show", short, code=2)
    node.start()
    say(f"    up again at {node.url}")
    expect(_known(stage, dataset), to_be=before, of="What the node knows")
    stage.tdr("history", short)
    stage.tdr("verify", home / "first", "--dataset", short, "--version", 1, shown=False)
    say("    Everything is still there, and still verifies.")
    expect(node.stop(), to_be=0, of="The node's exit code after SIGTERM")


def _known(stage: Stage, dataset: str) -> Mapping[str, object]:
    """Everything that was written, without the height at which it was read."""
    shown = stage.ask("show", dataset)
    history = stage.ask("history", dataset)
    return {"history": history["items"]} | {
        name: value for name, value in shown.items() if name not in ("asOfBlock", "asOfBlockHash", "finalBlock")
    }


def fail(message: str) -> NoReturn:
    """End with exit code 1."""
    say(f"\nSURPRISE: {message}")
    sys.exit(1)


def main() -> None:
    """Performs the demo in a temporary folder."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tdr-demo-") as folder:
        home = Path(folder)
        node = Node(home / "node")
        try:
            perform(Stage(home, node), node, home)
        except (Surprise, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
            fail(str(error))
        finally:
            node.kill()
    say(f"\nAll as expected, in {time.monotonic() - started:.0f} seconds.")


if __name__ == "__main__":
    main()
