"""Owners' keys: signatures and keystores that outside libraries read, files that only their owner reads."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_keyfile.keyfile import create_keyfile_json

from registry.base.errors import Conflict, InvalidInput, NotFound
from registry.base.primitives import Bytes32
from registry.keys.folder import KeyFolder, StoredKey
from registry.keys.keystore import encrypt, unlock
from registry.keys.signer import Signer

# The first account that anvil and hardhat make of their well-known test mnemonic.
KNOWN_KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
KNOWN_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
DIGEST = Bytes32(bytes(range(32)))
FAST = 2**4
PASSWORD = "correct horse"

# Test vector of the Web3 Secret Storage Definition (scrypt).
OFFICIAL = {
    "address": "008aeeda4d805471df9b2a5b0f38a0c3bcba786b",
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf": "scrypt",
        "kdfparams": {
            "dklen": 32,
            "n": 262144,
            "p": 8,
            "r": 1,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
        },
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys")


def stored(folder: KeyFolder, name: str = "alice", signer: Signer | None = None) -> StoredKey:
    return folder.add(name, encrypt(signer or Signer(KNOWN_KEY), PASSWORD, work=FAST))


def changed(keystore: Mapping[str, Any], **fields: object) -> dict[str, Any]:
    return {**json.loads(json.dumps(keystore)), **fields}


def test_a_known_key_has_its_known_address() -> None:
    assert str(Signer(KNOWN_KEY).address) == KNOWN_ADDRESS


def test_another_library_recovers_the_signer() -> None:
    signature = Signer(KNOWN_KEY).sign(DIGEST)
    assert len(signature) == 65
    assert signature[64] in (27, 28)
    assert Account._recover_hash(DIGEST, signature=signature) == KNOWN_ADDRESS


@pytest.mark.parametrize("seed", range(1, 33))
def test_every_signature_has_a_low_s_and_is_the_same_each_time(seed: int) -> None:
    signer = Signer(seed.to_bytes(32, "big"))
    signature = signer.sign(DIGEST)
    assert signature == signer.sign(DIGEST)
    assert int.from_bytes(signature[32:64], "big") <= 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@pytest.mark.parametrize(
    "key",
    [
        b"",
        bytes(32),
        bytes(31),
        bytes(33),
        b"\xff" * 32,
        bytes.fromhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"),
    ],
)
def test_what_is_no_private_key_is_refused(key: bytes) -> None:
    with pytest.raises(InvalidInput):
        Signer(key)


def test_random_keys_differ() -> None:
    assert Signer.random().address != Signer.random().address


def test_a_signer_shows_its_address_and_never_its_key() -> None:
    """R10: no key in what is printed."""
    signer = Signer(KNOWN_KEY)
    shown = f"{signer} {signer!r} {[signer]}"
    assert KNOWN_ADDRESS in shown
    assert KNOWN_KEY.hex() not in shown
    assert repr(KNOWN_KEY) not in shown


def test_the_official_keystore_opens_with_its_password(folder: KeyFolder) -> None:
    key = folder.add("official", OFFICIAL)
    secret = unlock(key, "testpassword").secret()
    assert secret.hex() == "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"


def test_another_library_opens_our_keystore(folder: KeyFolder) -> None:
    key = stored(folder)
    assert bytes(Account.decrypt(key.path.read_text(), PASSWORD)) == KNOWN_KEY


def test_a_stored_key_is_the_same_when_unlocked(folder: KeyFolder) -> None:
    key = stored(folder)
    assert unlock(key, PASSWORD).sign(DIGEST) == Signer(KNOWN_KEY).sign(DIGEST)


@pytest.mark.parametrize("password", ["", "Correct horse", "correct horse ", "密码"])
def test_a_wrong_password_is_refused_by_name(folder: KeyFolder, password: str) -> None:
    with pytest.raises(InvalidInput, match="password of the key 'alice' is wrong"):
        unlock(stored(folder), password)


@pytest.mark.parametrize("password", ["", "x", "1234567", "密码密码密码密"])
def test_a_new_keys_password_has_at_least_eight_characters(password: str) -> None:
    """A12: a password of one character does not protect a copied file."""
    with pytest.raises(InvalidInput, match="at least 8 characters") as caught:
        encrypt(Signer(KNOWN_KEY), password, work=FAST)
    assert "longer" in caught.value.hint


@pytest.mark.parametrize("password", ["12345678", "密码密码密码密码"])
def test_eight_characters_are_enough(folder: KeyFolder, password: str) -> None:
    assert unlock(folder.add("eight", encrypt(Signer(KNOWN_KEY), password, work=FAST)), password).secret() == KNOWN_KEY


def test_a_key_made_with_a_shorter_password_still_unlocks(folder: KeyFolder) -> None:
    short = create_keyfile_json(Signer(KNOWN_KEY).secret(), b"x", kdf="scrypt", iterations=FAST)
    assert unlock(folder.add("old", short), "x").secret() == KNOWN_KEY


def test_only_the_owner_may_read_key_and_folder(folder: KeyFolder) -> None:
    key = stored(folder)
    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_key_file_holds_no_key_in_clear(folder: KeyFolder) -> None:
    """R10: no key where it could be read."""
    assert KNOWN_KEY.hex() not in stored(folder).path.read_text()


def test_a_name_that_is_taken_is_refused_and_the_key_stays(folder: KeyFolder) -> None:
    before = stored(folder).path.read_bytes()
    with pytest.raises(Conflict):
        stored(folder, signer=Signer.random())
    assert (folder.path / "alice.json").read_bytes() == before
    assert [path.name for path in folder.path.iterdir()] == ["alice.json"]


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".a", "a b", "a\0", "x" * 65, "-a"])
def test_what_is_no_name_is_refused(folder: KeyFolder, name: str) -> None:
    with pytest.raises(InvalidInput, match="is not a name for a key"):
        stored(folder, name)
    with pytest.raises(InvalidInput, match="is not a name for a key"):
        folder.key(name)


def test_a_chinese_name_is_a_name(folder: KeyFolder) -> None:
    stored(folder, "数据所有者")
    assert folder.key("数据所有者").name == "数据所有者"


def test_the_only_key_needs_no_name(folder: KeyFolder) -> None:
    stored(folder)
    assert folder.key(None).name == "alice"


def test_without_a_key_the_error_says_how_to_make_one(folder: KeyFolder) -> None:
    with pytest.raises(NotFound, match="tdr keys new"):
        folder.key(None)
    with pytest.raises(NotFound, match="tdr keys new"):
        folder.key("alice")


def test_of_several_keys_one_has_to_be_named(folder: KeyFolder) -> None:
    stored(folder, "alice")
    stored(folder, "bob", Signer.random())
    with pytest.raises(InvalidInput, match="--key NAME") as caught:
        folder.key(None)
    assert "alice, bob" in str(caught.value)
    assert folder.key("bob").name == "bob"


def test_an_unknown_name_is_refused_with_those_there_are(folder: KeyFolder) -> None:
    stored(folder)
    with pytest.raises(NotFound, match="The keys are: alice"):
        folder.key("bob")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"address": "0x12"}', '{"address": 1}', "\ud800", pytest.param("[" * 100_000, id="deep")],
)
def test_a_file_that_is_no_keystore_is_named(folder: KeyFolder, text: str) -> None:
    folder.path.mkdir()
    (folder.path / "broken.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InvalidInput, match=r"broken\.json"):
        folder.key("broken")
    assert_only_it_is_refused(folder)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_file_is_named_and_not_waited_for(folder: KeyFolder, make: Callable[[Path], None]) -> None:
    folder.path.mkdir()
    make(folder.path / "broken.json")
    assert_only_it_is_refused(folder)


def assert_only_it_is_refused(folder: KeyFolder) -> None:
    """The other keys are there as before; but without a name, the broken file might be the key that is meant."""
    with pytest.raises(InvalidInput, match=r"broken\.json"):
        folder.key(None)
    key = stored(folder)
    keys, faults = folder.look()
    assert keys == folder.keys() == (key,)
    assert ["broken.json" in str(fault) for fault in faults] == [True]
    assert folder.key("alice") == key
    with pytest.raises(InvalidInput, match=r"broken\.json.*--key NAME.*alice"):
        folder.key(None)
    with pytest.raises(NotFound, match="The keys are: alice"):
        folder.key("bob")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"version": 4},
        {"version": None},
        {"crypto": None},
        {"crypto": {}},
        {"crypto": {"kdf": "unknown"}},
        {"crypto": {**OFFICIAL["crypto"], "ciphertext": "zz"}},
    ],
)
def test_a_keystore_that_cannot_be_read_is_named(folder: KeyFolder, change: dict[str, object]) -> None:
    key = folder.add("odd", changed(encrypt(Signer(KNOWN_KEY), PASSWORD, work=FAST), **change))
    with pytest.raises(InvalidInput, match=r"odd\.json"):
        unlock(key, PASSWORD)


def test_a_keystore_that_states_another_account_is_refused(folder: KeyFolder) -> None:
    keystore = changed(encrypt(Signer(KNOWN_KEY), PASSWORD, work=FAST), address="11" * 20)
    with pytest.raises(InvalidInput, match="contains the key of"):
        unlock(folder.add("swapped", keystore), PASSWORD)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be written"):
        stored(KeyFolder(tmp_path / "file" / "keys"))
