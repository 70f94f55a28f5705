"""The relayer's key and the transactions it signs: type 2 (EIP-1559) or legacy, without value or access list."""

from __future__ import annotations

from dataclasses import dataclass

from coincurve import PrivateKey

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, keccak256
from registry.ethereum import rlp
from registry.relay.fees import Fees

_TYPE = b"\x02"
_LEGACY_FROM = 0xC0
"""The lowest first byte of a legacy transaction, which is an RLP list. Type numbers are lower (EIP-2718)."""
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Payload:
    """The call that a transaction makes, without nonce and fees.

    Args:
        to: The account that is called; None creates a contract.
        data: The transaction's input.
        gas: The gas limit.
    """

    to: Address | None
    data: bytes
    gas: int


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A signed transaction.

    Args:
        hash: The transaction's hash.
        raw: The serialised transaction.
    """

    hash: Bytes32
    raw: bytes


class Signer:
    """A private key that signs transactions. The key itself cannot be read.

    Args:
        secret: The private key, 32 bytes.

    Raises:
        InvalidInput: The secret is not a private key of secp256k1.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _KEY_BYTES:
            raise InvalidInput(f"A private key has {_KEY_BYTES} bytes, but {len(secret)} were given.")
        try:
            self._key = PrivateKey(secret)
        except ValueError as error:
            raise InvalidInput("The private key is out of range.") from error
        self.address = Address(keccak256(self._key.public_key.format(compressed=False)[1:])[12:])

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign(self, chain_id: int, nonce: int, fees: Fees, payload: Payload) -> SignedTransaction:
        """Return a signed transaction.

        Args:
            chain_id: The chain's id (EIP-155).
            nonce: The number of this account's earlier transactions.
            fees: The fees that the transaction offers.
            payload: The call that the transaction makes.
        """
        if fees.is_legacy:
            return self._sign_legacy(chain_id, nonce, fees.maximum, payload)
        fields: list[rlp.Item] = [
            _number(chain_id),
            _number(nonce),
            _number(fees.priority),
            _number(fees.maximum),
            _number(payload.gas),
            bytes(payload.to or b""),
            b"",
            payload.data,
            [],
        ]
        signature = self._key.sign_recoverable(keccak256(_TYPE + rlp.encode(fields)), hasher=None)
        r, s, parity = signature[:32], signature[32:64], signature[64]
        raw = _TYPE + rlp.encode([*fields, _number(parity), r.lstrip(b"\0"), s.lstrip(b"\0")])
        return SignedTransaction(Bytes32(keccak256(raw)), raw)

    def _sign_legacy(self, chain_id: int, nonce: int, price: int, payload: Payload) -> SignedTransaction:
        fields: list[rlp.Item] = [
            _number(nonce),
            _number(price),
            _number(payload.gas),
            bytes(payload.to or b""),
            b"",
            payload.data,
        ]
        digest = keccak256(rlp.encode([*fields, _number(chain_id), b"", b""]))
        signature = self._key.sign_recoverable(digest, hasher=None)
        r, s, v = signature[:32], signature[32:64], 35 + 2 * chain_id + signature[64]
        raw = rlp.encode([*fields, _number(v), r.lstrip(b"\0"), s.lstrip(b"\0")])
        return SignedTransaction(Bytes32(keccak256(raw)), raw)


def payload_of(raw: bytes) -> Payload:
    """Return the payload of a transaction that `Signer.sign` made."""
    if raw[0] >= _LEGACY_FROM:
        gas, to, _, data = map(rlp.as_bytes, rlp.decode_list(raw)[2:6])
    else:
        gas, to, _, data = map(rlp.as_bytes, rlp.decode_list(raw[len(_TYPE) :])[4:8])
    return Payload(Address(to) if to else None, data, int.from_bytes(gas, "big"))


def created_address(sender: Address, nonce: int) -> Address:
    """Return the address of the contract that a transaction creates. Source: Ethereum Yellow Paper, section 7."""
    return Address(keccak256(rlp.encode([bytes(sender), _number(nonce)]))[12:])


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
