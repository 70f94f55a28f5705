"""Keys from and for other wallets: `tdr keys import` and `export`, compared with eth_account."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from registry.keys.signer import Signer
from tests.cli.conftest import PASSWORD, Run
from tests.fixtures.commands import refused

# The first account of the well-known test mnemonic "test test test ... junk", as Hardhat and anvil print it.
SECRET = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def wallet(password: str = PASSWORD, **changed: Any) -> str:
    """A keystore as eth_account writes it, with a password that costs little to try."""
    return json.dumps({**Account.encrypt(SECRET, password, kdf="pbkdf2", iterations=2), **changed})


@pytest.mark.parametrize(
    "content", [SECRET, f"0x{SECRET.upper()}\r\n", f"\ufeff{SECRET}\n", wallet(), wallet(address="")]
)
def test_a_key_of_another_wallet_signs_here(tdr: Run, tmp_path: Path, content: str) -> None:
    file = tmp_path / "wallet"
    file.write_text(content, encoding="utf-8")
    done = tdr("keys", "import", "alice", "--file", file, "--json")
    assert done.json["address"] == ADDRESS
    assert SECRET not in done.out + done.err
    stored = tmp_path / "keys" / "alice.json"
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert Account.decrypt(json.loads(stored.read_text()), PASSWORD).hex().removeprefix("0x") == SECRET
    assert "already" in refused(tdr("keys", "import", "alice", "--file", file))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "64 hex digits"),
        (SECRET[1:], "64 hex digits"),
        ("0" * 64, "order of secp256k1"),
        ("f" * 64, "order of secp256k1"),
        ("[]", "64 hex digits"),
        ("{}", "version 3"),
        (wallet("another password"), "password of the keystore is wrong"),
        (wallet(crypto={}), "damaged"),
        (wallet(crypto=None), "damaged"),
        (wallet(version=1), "version 3"),
    ],
)
def test_what_is_no_key_is_refused_and_never_quoted(tdr: Run, tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "wallet"
    file.write_text(content)
    error = refused(tdr("keys", "import", "alice", "--file", file))
    assert said in error
    assert SECRET[1:] not in error
    assert not (tmp_path / "keys" / "alice.json").exists()


def test_without_a_terminal_a_file_is_needed(tdr: Run) -> None:
    assert "standard input" in refused(tdr("keys", "import", "alice"))
    assert "cannot be read" in refused(tdr("keys", "import", "alice", "--file", "nosuch"))


def test_another_wallet_reads_an_exported_keystore(tdr: Run, key: Signer, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    assert tdr("keys", "export", "alice", "-o", file, "--json").json == {
        "name": "alice",
        "address": str(key.address),
        "file": str(file),
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Account.decrypt(json.loads(file.read_text()), PASSWORD) == key.secret()
    assert tdr("keys", "export").json == json.loads(file.read_text())
    assert "already exists" in refused(tdr("keys", "export", "alice", "-o", file))


def test_a_private_key_is_written_to_a_file_of_its_owner_and_to_no_pipe(tdr: Run, key: Signer, tmp_path: Path) -> None:
    file = tmp_path / "out.key"
    done = tdr("keys", "export", "alice", "--unprotected-private-key", "-o", file)
    assert key.secret().hex() not in done.out + done.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == f"0x{key.secret().hex()}\n"
    refusal = refused(tdr("keys", "export", "alice", "--unprotected-private-key"))
    assert "-o FILE" in refusal
    assert key.secret().hex() not in refusal
