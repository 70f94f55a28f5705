"""Ed25519 signatures (RFC 8032)."""

from __future__ import annotations

from Crypto.Signature import eddsa

_POINT_BYTES = 32
_COFACTOR = 8


def public_key(seed: bytes) -> bytes:
    """Return the public key (32 bytes) of a private key (32 secret bytes)."""
    raw: bytes = eddsa.import_private_key(seed).public_key().export_key(format="raw")
    return raw


def sign(seed: bytes, message: bytes) -> bytes:
    """Return the signature of a message, 64 bytes."""
    return eddsa.new(eddsa.import_private_key(seed), "rfc8032").sign(message)


def is_valid(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether a signature of a message was made with a public key's private key.

    Keys and points of small order are rejected: their signatures are valid for many messages, no honest signer makes
    them, and implementations disagree about them.
    """
    try:
        key, point = eddsa.import_public_key(public), eddsa.import_public_key(signature[:_POINT_BYTES])
        if any((item.pointQ * _COFACTOR).is_point_at_infinity() for item in (key, point)):
            return False
        eddsa.new(key, "rfc8032").verify(message, signature)
    except ValueError:
        return False
    return True
