"""A private key in memory that can sign."""

from __future__ import annotations

import secrets
from typing import Final, Self

from coincurve import PrivateKey

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, keccak256

PRIVATE_KEY_BYTES: Final = 32
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Signer:
    """Signs for one account. Its text forms show only the address.

    Args:
        private_key: 32 bytes: a big-endian number from 1 to the order of secp256k1 minus 1.

    Raises:
        InvalidInput: The bytes are not such a number. The message does not contain them.
    """

    __slots__ = ("_key", "address")

    def __init__(self, private_key: bytes) -> None:
        if len(private_key) != PRIVATE_KEY_BYTES or not 0 < int.from_bytes(private_key, "big") < _ORDER:
            raise InvalidInput("A private key is 32 bytes: a number from 1 to the order of secp256k1 minus 1.")
        self._key = PrivateKey(private_key)
        self.address = Address(keccak256(self._key.public_key.format(compressed=False)[1:])[-Address.LENGTH :])

    @classmethod
    def random(cls) -> Self:
        """Create a new account."""
        return cls((1 + secrets.randbelow(_ORDER - 1)).to_bytes(PRIVATE_KEY_BYTES, "big"))

    def sign(self, digest: Bytes32) -> bytes:
        """Sign 32 bytes that are already a hash.

        Returns:
            65 bytes: r, s (the lower of the two), and v, 27 or 28. The same digest always gives the same signature.

        Source: RFC 6979; Ethereum Yellow Paper, appendix F.
        """
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])

    def secret(self) -> bytes:
        """Return the private key (32 bytes). Warning: use it for encryption only; it must not be printed, logged or
        sent.
        """
        return self._key.secret

    def __repr__(self) -> str:
        return f"Signer({self.address})"
