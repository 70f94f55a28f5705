"""Accounts and slots that no state could have, though the nodes around them are sound."""

from __future__ import annotations

import pytest

from registry.base.errors import VerificationFailed
from registry.base.primitives import Address, Bytes32, keccak256
from registry.ethereum.rlp import Item, encode, number
from registry.ethereum.state import account_at, slot_at
from registry.ethereum.trie import Nodes, Trie
from registry.rooms.access.proof import GrantSlot

ADDRESS = Address(b"\x11" * 20)
SLOT = Bytes32(b"\x22" * 32)


def account(value: bytes) -> None:
    key = keccak256(ADDRESS)
    trie = Trie({key: value, keccak256(b"another"): b"x" * 40})
    account_at(Nodes(trie.proof([key])), trie.root, ADDRESS)


def slot(value: bytes) -> Bytes32:
    key = keccak256(SLOT)
    trie = Trie({key: value, keccak256(b"another"): b"x" * 40})
    return slot_at(Nodes(trie.proof([key])), trie.root, SLOT)


GOOD: list[Item] = [number(1), b"", bytes(32), bytes(32)]


def test_a_sound_account_is_read() -> None:
    account(encode(GOOD))


@pytest.mark.parametrize(
    "fields", [GOOD[:3], [*GOOD, b""], [number(1), b"", bytes(31), bytes(32)], [number(1), b"", bytes(32), []]]
)
def test_an_account_of_another_form_is_refused(fields: list[Item]) -> None:
    with pytest.raises(VerificationFailed, match="malformed"):
        account(encode(fields))


def test_an_account_that_is_not_there_is_refused() -> None:
    trie = Trie({keccak256(b"another"): b"x" * 40})
    with pytest.raises(VerificationFailed, match="no account"):
        account_at(Nodes(trie.proof([keccak256(ADDRESS)])), trie.root, ADDRESS)


def test_a_slot_is_read_as_32_bytes() -> None:
    assert slot(encode(number(258))) == Bytes32(bytes(30) + b"\x01\x02")


@pytest.mark.parametrize("value", [b"\x82\x00\x01", b"\xc0", encode(b"\1" * 33), b"\x81\x05"])
def test_a_slot_that_holds_no_number_is_refused(value: bytes) -> None:
    with pytest.raises(VerificationFailed, match="malformed"):
        slot(value)


def packed(**fields: int) -> Bytes32:
    """The slot as Solidity packs it, the first member in the lowest bits."""
    widths = {"starts_at": 48, "expires_at": 48, "rights": 32, "epoch": 32, "requests": 32, "revoked": 8, "rest": 56}
    word = shift = 0
    for name, width in widths.items():
        word |= fields.get(name, 0) << shift
        shift += width
    return Bytes32(word.to_bytes(32, "big"))


def test_a_pair_is_unpacked_as_solidity_packs_it() -> None:
    largest = {"starts_at": 2**48 - 1, "expires_at": 2**48 - 2, "rights": 2**32 - 1, "epoch": 7, "requests": 9}
    assert GrantSlot.unpack(packed(**largest, revoked=1)) == GrantSlot(**largest, revoked=True)
    assert GrantSlot(**largest, revoked=True).pack() == packed(**largest, revoked=1)
    assert GrantSlot.unpack(packed()) == GrantSlot()


@pytest.mark.parametrize("word", [packed(revoked=2), packed(rest=1), packed(rest=1 << 55)])
def test_a_slot_that_the_contract_could_not_have_written_is_refused(word: Bytes32) -> None:
    with pytest.raises(VerificationFailed, match="AccessGrants cannot have written"):
        GrantSlot.unpack(word)
