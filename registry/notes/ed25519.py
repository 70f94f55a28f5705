"""Ed25519 signatures (RFC 8032)."""

from __future__ import annotations

from Crypto.Signature import eddsa

_POINT_BYTES = 32
_COFACTOR = 8


def public_key(seed: bytes) -> bytes:
    """The public key (32 bytes) of a private one (32 secret bytes)."""
    raw: bytes = eddsa.import_private_key(seed).public_key().export_key(format="raw")
    return raw


def sign(seed: bytes, message: bytes) -> bytes:
    """The signature of a message, 64 bytes."""
    return eddsa.new(eddsa.import_private_key(seed), "rfc8032").sign(message)


def is_valid(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature of a message is that of a public key.

    Keys and points of small order are refused: they make signatures that fit many messages, which no honest signer
    makes, and about which implementations differ.
    """
    try:
        key, point = eddsa.import_public_key(public), eddsa.import_public_key(signature[:_POINT_BYTES])
        if any((one.pointQ * _COFACTOR).is_point_at_infinity() for one in (key, point)):
            return False
        eddsa.new(key, "rfc8032").verify(message, signature)
    except ValueError:
        return False
    return True
