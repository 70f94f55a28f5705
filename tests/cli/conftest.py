"""The command line in this process, with a key, files and a gateway for the tests that need them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from registry.cli.app import main
from registry.keys.folder import KeyFolder
from registry.keys.keystore import encrypt
from registry.keys.signer import Signer
from tests.api.world import Gateway
from tests.fixtures.commands import Done
from tests.fixtures.randomness import signer_of

PASSWORD = "a password"
UNREACHABLE = "http://127.0.0.1:9"  # The discard port: no server answers there.


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def gateway(quiet_gateway: Gateway) -> Gateway:
    """A gateway for the tests of a module."""
    return quiet_gateway


@pytest.fixture
def tdr(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command; the keys are in `tmp_path`/keys, and no gateway answers."""
    monkeypatch.setenv("TDR_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("TDR_KEY_PASSWORD", PASSWORD)
    monkeypatch.setenv("TDR_GATEWAY", UNREACHABLE)

    def run(*arguments: object) -> Done:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Done(left.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def key(request: pytest.FixtureRequest, tmp_path: Path) -> Signer:
    """A key named alice, whose password costs little to try."""
    signer = signer_of(request.node.nodeid)
    KeyFolder(tmp_path / "keys").add("alice", encrypt(signer, PASSWORD, work=2**4))
    return signer


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of two small files, one with a Chinese name."""
    folder = tmp_path / "files"
    (folder / "子目录").mkdir(parents=True)
    (folder / "a.csv").write_text("1,2\n")
    (folder / "子目录" / "数据.csv").write_text("3,4\n")
    return folder
