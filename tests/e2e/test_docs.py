"""Every command that the guides show in a block of `sh` is run here, in order, as a reader would."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from registry.keys.folder import KeyFolder
from registry.keys.keystore import encrypt, unlock
from scripts.faults.ports import free_port
from tests.fixtures.commands import Done, tdr_forked
from tests.fixtures.waiting import PATIENCE, eventually

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(guide: Path) -> list[str]:
    """The lines of a guide's `sh` blocks, without comments; continued lines joined."""
    text = "".join(BLOCK.findall(guide.read_text())).replace("\\\n", " ")
    return [line for raw in text.splitlines() if (line := re.sub(r"\s+#.*$", "", raw).strip())]


class Reader:
    """A reader who types the commands of a guide, in a folder with a copy of the examples.

    Args:
        home: The folder.
        starts_tdr: Whether each `tdr` is started from nothing, as by a shell, or forked with its modules loaded.
    """

    def __init__(self, home: Path, *, starts_tdr: bool) -> None:
        self._starts_tdr = starts_tdr
        port = free_port()
        self._home = home
        self._environment = {
            "HOME": str(home),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "TDR_PORT": str(port),
            "TDR_GATEWAY": f"http://127.0.0.1:{port}",
            "PWD": str(home),
        }
        self._node: subprocess.Popen[bytes] | None = None
        shutil.copytree(ROOT / "examples", home / "examples")

    def type(self, line: str) -> None:
        words = shlex.split(line)
        if words[0] == "make":
            subprocess.run(["make", "-n", words[1]], cwd=ROOT, check=True, capture_output=True)
        elif words[0] == "export":
            for assignment in words[1:]:
                name, value = assignment.split("=", 1)
                if name != "PATH":
                    self._environment[name] = value
        elif line.endswith("&"):
            self._node = subprocess.Popen(words[:-1], cwd=self._home, env=self._environment)
            self._await_node()
        else:
            done = self._run([self._filled(word) for word in words])
            assert done.code == 0, f"{line}\n{done.out}\n{done.err}"
            if words[:3] == ["tdr", "keys", "new"] and not self._starts_tdr:
                self._make_password_cheap(words[3])

    def _make_password_cheap(self, name: str) -> None:
        """Store a new key again with less work for its password: each command that signs would take a second more."""
        folder, password = KeyFolder(self._home / ".tdr/keys"), self._environment["TDR_KEY_PASSWORD"]
        key = folder.key(name)
        signer = unlock(key, password)
        key.path.unlink()
        folder.add(name, encrypt(signer, password, work=2**4))

    def close(self) -> None:
        if self._node is not None:
            self._node.send_signal(signal.SIGTERM)
            assert self._node.wait(PATIENCE) == 0

    def _filled(self, word: str) -> str:
        if word == "DATASET_ID":
            return str(self._run(["tdr", "list", "--json"]).json["items"][0]["datasetId"])
        if word == "BLOCK_HASH":
            return str(self._run(["tdr", "show", self._filled("DATASET_ID"), "--json"]).json["asOfBlockHash"])
        if word == "BOB":
            listing = self._run(["tdr", "keys", "list", "--json"]).json
            return next(str(key["address"]) for key in listing["items"] if key["name"] == "bob")
        return word

    def _run(self, words: list[str]) -> Done:
        if words[0] == "tdr" and not self._starts_tdr:
            return tdr_forked(words[1:], self._environment, PATIENCE, self._home)
        done = subprocess.run(
            words, cwd=self._home, env=self._environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def _await_node(self) -> None:
        eventually(lambda: self._run(["tdr", "list"]).code == 0)


@pytest.mark.long
@pytest.mark.parametrize("guide", [guide for guide in GUIDES if commands(guide)], ids=lambda guide: guide.name)
def test_every_command_of_a_guide_runs(guide: Path, tmp_path: Path) -> None:
    # The README's as a newcomer has them.
    with closing(Reader(tmp_path, starts_tdr=guide.name == "README.md")) as reader:
        for line in commands(guide):
            reader.type(line)


@pytest.mark.parametrize("guide", [*GUIDES, ROOT / "CONTRIBUTING.md"], ids=lambda guide: guide.name)
def test_every_make_target_and_every_command_that_a_guide_names_exists(guide: Path) -> None:
    text = guide.read_text()
    for target in set(re.findall(r"^(?:    )?`?make ([a-z-]+)", text, re.MULTILINE)):
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)
    for command in set(re.findall(r"`tdr ([a-z]+)", text)):
        subprocess.run([BIN / "tdr", command, "--help"], check=True, capture_output=True)


@pytest.mark.parametrize(
    "guide", [*GUIDES, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/adr").glob("*.md"))], ids=str
)
def test_every_relative_link_leads_somewhere(guide: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", guide.read_text()):
        if "://" not in link:
            assert (guide.parent / link).exists(), f"{guide.name} links to {link}"


def test_the_compose_file_names_commands_that_exist() -> None:
    compose = yaml.safe_load((ROOT / "docs/deploy/compose.yaml").read_text())
    commands_named = [service["command"] for service in compose["services"].values() if "command" in service]
    assert sorted(commands_named) == [["gateway"], ["indexer"], ["relayer"]]
    ports = {"gateway": "", "relayer": " --port 8001", "indexer": " --port 8002"}  # All three may be on one machine.
    for name, port in ports.items():
        unit = (ROOT / f"docs/deploy/tdr-{name}.service").read_text()
        assert f"ExecStart=/opt/tdr/.venv/bin/tdr {name} --data /var/lib/tdr{port}\n" in unit
