"""The forms of a signature. Vectors of ERC-2098 itself, and signatures made by eth_keys."""

from __future__ import annotations

import pytest
from eth_keys import keys
from sqlalchemy import select

from registry.base.primitives import Address, Bytes32, keccak256
from registry.chain.client import Chain
from registry.relay.signatures import normal_form, recover
from registry.relay.tables import RECEIPTS
from registry.storage import Storage
from tests.relay.world import OWNER, World

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = keys.PrivateKey(bytes.fromhex("1234567890123456789012345678901234567890123456789012345678901234"))

ERC_2098 = [
    (
        b"Hello World",
        (
            "68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b90"
            "7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064"
        ),
        27,
    ),
    (
        b"It's a small(er) world",
        (
            "9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76"
            "939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793"
        ),
        28,
    ),
]
"""The test cases of ERC-2098: the text that was signed (EIP-191), the compact form, and v."""


@pytest.mark.parametrize(("text", "compact", "v"), ERC_2098)
def test_the_compact_form_is_expanded_as_the_standard_does_it(text: bytes, compact: str, v: int) -> None:
    normal = normal_form(bytes.fromhex(compact))
    assert normal is not None
    assert normal[64] == v
    digest = Bytes32(keccak256(b"\x19Ethereum Signed Message:\n%d%b" % (len(text), text)))
    assert recover(digest, normal) == Address(KEY.public_key.to_canonical_address())


def forms(signature: bytes) -> dict[str, bytes]:
    """All forms of one signature, by ERC-2098 and SEC 1 and not by the code under test."""
    r, s, parity = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64] - 27
    return {
        "v of 27 or 28": signature,
        "v of 0 or 1": signature[:64] + bytes([parity]),
        "compact": r + (s | parity << 255).to_bytes(32, "big"),
        "high s": r + (ORDER - s).to_bytes(32, "big") + bytes([28 - parity]),
        "high s, v of 0 or 1": r + (ORDER - s).to_bytes(32, "big") + bytes([1 - parity]),
    }


@pytest.mark.parametrize("number", range(16))
def test_all_forms_have_one_normal_form(number: int) -> None:
    signed = KEY.sign_msg_hash(keccak256(bytes([number]))).to_bytes()
    signature = signed[:64] + bytes([signed[64] + 27])
    assert {normal_form(form) for form in forms(signature).values()} == {signature}


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(65),
        b"\x11" * 65,
        b"\x11" * 4096,
        b"\1" * 64 + b"\x1d",
        b"\1" * 32 + ORDER.to_bytes(32, "big") + b"\x1b",
        b"\1" * 63,
        b"\1" * 66,
    ],
)
def test_what_cannot_be_ecdsa_has_no_normal_form(signature: bytes) -> None:
    assert normal_form(signature) is None


def test_r_that_is_on_no_curve_is_nobodys() -> None:
    normal = normal_form(b"\xff" * 32 + b"\1" * 32 + b"\x1b")
    assert normal is not None
    assert recover(Bytes32(bytes(32)), normal) is None


@pytest.fixture
def world(embedded: Chain, storage: Storage) -> World:
    return World.make(embedded, storage)


def test_every_form_is_accepted_and_has_the_same_receipt(world: World) -> None:
    """v = 0 or 1 comes from hardware wallets, the compact form from others: the contracts take neither."""
    for first in ("v of 0 or 1", "compact", "high s"):
        message = world.registration()
        signature = OWNER.sign(message, world.deployment)
        known = world.submit(message, key=f"key{world.made}", signature=forms(signature)[first])
        assert known.signer == OWNER.address
        for form in forms(signature).values():
            assert world.submit(message, signature=form).id == known.id
            assert world.submit(message, key=f"key{world.made}", signature=form).id == known.id
        with world.storage.read() as connection:
            stored = connection.execute(select(RECEIPTS.c.calldata).where(RECEIPTS.c.seq == known.seq)).scalar_one()
        assert signature in bytes(stored)
