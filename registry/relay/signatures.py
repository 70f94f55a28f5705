"""The forms in which wallets return an ECDSA signature, and the normal form that is sent, stored and compared.

Hardware wallets return v as 0 or 1, others the 64 bytes of ERC-2098, and some a high s. The contracts take r, s and v
with a low s and v 27 or 28. Changing the form changes neither the signer nor what was signed: (r, s, v) and
(r, n - s, 1 - v) verify for the same key and digest.

A contract's signature (ERC-1271) may have the same length and another meaning. Therefore the form is changed only if
recovery gives the account that has to sign, or if that account is not known yet.

Source: ERC-2098; EIP-2 (low s); SEC 1, section 4.1.6 (recovery).
"""

from __future__ import annotations

from typing import Final

from coincurve import PublicKey

from registry.base.primitives import Address, Bytes32, keccak256

ECDSA_BYTES: Final = 65
COMPACT_BYTES: Final = 64
_WORD: Final = 32
_FIRST_V: Final = 27
_PARITY_BIT: Final = 255
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def normal_form(signature: bytes) -> bytes | None:
    """Return an ECDSA signature as r, a low s and v of 27 or 28; None where the bytes cannot be one.

    Args:
        signature: 65 bytes with v of 0, 1, 27 or 28, or the 64 bytes of ERC-2098.
    """
    parity = _parity(signature)
    if parity is None:
        return None
    s = int.from_bytes(signature[_WORD : 2 * _WORD], "big")
    if len(signature) == COMPACT_BYTES:
        s &= (1 << _PARITY_BIT) - 1
    if not 0 < s < _ORDER:
        return None
    if s > _ORDER // 2:
        s, parity = _ORDER - s, 1 - parity
    return signature[:_WORD] + s.to_bytes(_WORD, "big") + bytes([_FIRST_V + parity])


def recover(digest: Bytes32, signature: bytes) -> Address | None:
    """Return the account that made a signature of the normal form; None where no key could have made it."""
    try:
        key = PublicKey.from_signature_and_message(
            signature[:-1] + bytes([signature[-1] - _FIRST_V]), digest, hasher=None
        )
    except ValueError:
        return None
    return Address(keccak256(key.format(compressed=False)[1:])[12:])


def _parity(signature: bytes) -> int | None:
    if len(signature) == COMPACT_BYTES:
        return signature[_WORD] >> 7
    if len(signature) != ECDSA_BYTES:
        return None
    v = signature[-1]
    return {0: 0, 1: 1, _FIRST_V: 0, _FIRST_V + 1: 1}.get(v)
