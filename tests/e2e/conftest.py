"""Real processes: nodes that listen on free ports, and commands that talk to them over HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from registry.keys.folder import KeyFolder
from registry.keys.keystore import encrypt
from registry.keys.signer import Signer
from tests.fixtures.commands import Done, tdr_forked
from tests.fixtures.randomness import signer_of
from tests.fixtures.waiting import PATIENCE

TDR = Path(sys.executable).with_name("tdr")
PASSWORD = "a password"


@dataclass
class NodeProcess:
    """A `tdr up`.

    Args:
        data: Its data folder; its log is beside it.
        options: Further options.
        environment: Further variables.
    """

    data: Path
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    url: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        return self.data.with_suffix(".log").read_text()

    def start(self) -> None:
        with self.data.with_suffix(".log").open("a") as log:
            self.process = subprocess.Popen(
                [TDR, "up", "--data", self.data, "--port", "0", *self.options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **self.environment},
            )
        assert self.process.stdout is not None
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("The node is up at "):
                self.url = line.split()[-1]
            if line.startswith("Ctrl-C"):
                return
        pytest.fail(f"The node did not come up:\n{self.log}")

    def end(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(with_signal)
        code = self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code


@contextmanager
def running(node: NodeProcess) -> Iterator[NodeProcess]:
    """Starts a node, and kills it in the end."""
    node.start()
    try:
        yield node
    finally:
        if node.process is not None:
            node.end(signal.SIGKILL)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """One node for all tests that do not harm it."""
    with running(NodeProcess(tmp_path_factory.mktemp("node") / "data")) as started:
        yield started


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signer]:
    """Keys named owner, analyst and buyer, whose password costs little to try; see `key_folder`."""
    return {name: signer_of(name) for name in ("owner", "analyst", "buyer")}


@pytest.fixture(scope="session")
def key_folder(keys: dict[str, Signer], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys") / "keys"
    for name, signer in keys.items():
        KeyFolder(folder).add(name, encrypt(signer, PASSWORD, work=2**4))
    return folder


Tdr = Callable[..., Done]


@pytest.fixture(scope="session")
def tdr_at(key_folder: Path) -> Callable[[str], Tdr]:
    """Gives, for a gateway's URL, a function that runs commands there, each in a process of its own."""

    def at(url: str) -> Tdr:
        def run(*arguments: object, **environment: str) -> Done:
            told = {"TDR_GATEWAY": url, "TDR_KEYS": str(key_folder), "TDR_KEY_PASSWORD": PASSWORD}
            return tdr_forked([*map(str, arguments)], {**os.environ, **told, **environment}, PATIENCE)

        return run

    return at


@pytest.fixture(scope="session")
def tdr(node: NodeProcess, tdr_at: Callable[[str], Tdr]) -> Tdr:
    return tdr_at(node.url)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of three files, one in a folder with a Chinese name; unlike that of any other test."""
    folder = tmp_path / "files"
    (folder / "子目录").mkdir(parents=True)
    (folder / "a.csv").write_text(f"1,2,{tmp_path}\n")
    (folder / "b.csv").write_text("")
    (folder / "子目录" / "数据.csv").write_text("3,4\n")
    return folder


def yes(done: Done) -> dict[str, Any]:
    """The JSON document of a command that has to succeed."""
    assert done.code == 0, done
    return done.json


def refused(done: Done) -> str:
    """The one line of an error; nothing else may have been printed."""
    assert done.code == 2, done
    assert done.out == ""
    assert done.err.startswith("error: "), done
    assert done.err.count("\n") == 1, done
    return done.err.removeprefix("error: ").rstrip("\n")
