"""Encode Ed25519 keys and signatures as `did:key` and the W3C's Data Integrity do: base58btc with the prefix z.

Source: Multibase (draft-multiformats-multibase), did:key (W3C CCG), multicodec 0xed (ed25519-pub).
"""

from __future__ import annotations

from typing import Final

from registry.base.errors import InvalidInput

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519_PUB: Final = bytes([0xED, 0x01])
_KEY_BYTES: Final = 32
_MAX_TEXT: Final = 200


def encode(raw: bytes) -> str:
    """Return bytes in base58btc, with its prefix z."""
    number, digits = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _ALPHABET[digit] + digits
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return f"z{_ALPHABET[0] * zeros}{digits}"


def decode(text: str) -> bytes:
    """Return the bytes of a base58btc text with its prefix z.

    Raises:
        InvalidInput: The text has another form, or more than 200 characters.
    """
    digits = text[1:]
    if not text.startswith("z") or len(text) > _MAX_TEXT or set(digits) - set(_ALPHABET):
        raise InvalidInput(f"Not base58btc: expected z and base58 digits; got {text[:80]!r}.")
    number = 0
    for digit in digits:
        number = number * 58 + _ALPHABET.index(digit)
    zeros = len(digits) - len(digits.lstrip(_ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def did_of(public: bytes) -> str:
    """Return the decentralised identifier of an Ed25519 public key (32 bytes), which contains the key."""
    return f"did:key:{encode(_ED25519_PUB + public)}"


def method_of(public: bytes) -> str:
    """Return the name of an Ed25519 public key (32 bytes) as a verification method."""
    did = did_of(public)
    return f"{did}#{did.removeprefix('did:key:')}"


def public_of(method: str) -> bytes:
    """Return the public key that a verification method of `did:key` names.

    Raises:
        InvalidInput: It does not name an Ed25519 key.
    """
    did, _, fragment = method.partition("#")
    key = did.removeprefix("did:key:")
    raw = decode(key) if did != key and fragment == key else b""
    if raw[:2] != _ED25519_PUB or len(raw) != len(_ED25519_PUB) + _KEY_BYTES:
        raise InvalidInput(f"The verification method is not an Ed25519 key of did:key: {method[:80]!r}.")
    return raw[2:]
