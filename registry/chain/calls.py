"""Calls of the contracts: encode messages as calldata and decode the results.

This module loads no Ethereum library, because a process that only verifies does not need one.

Source: Contract ABI Specification, argument encoding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from registry.base.errors import ContractRefused
from registry.base.primitives import Address, keccak256
from registry.chain.client import EXECUTION_REVERTED, Chain, ChainUnavailable, RpcError
from registry.ethereum.abi import WORD, dynamic, left_padded, uint
from registry.ethereum.eip712 import Message, Struct
from registry.ethereum.refusals import SHARED, RefusalTable

TRANSACTION_GAS = 21_000
CALLDATA_BYTE_GAS = 40
"""The maximum cost of a byte of calldata (EIP-7623's floor). It also covers hashing and logging that byte."""
ACTION_GAS = 130_000
"""Gas for the action itself: its slots, events and checks, and one ECDSA recovery."""
WALLET_GAS = 60_000
"""Gas for a contract owner to check a signature of 65 bytes (ERC-1271)."""
LONG_SIGNATURE_GAS = 300_000
"""Gas for a contract owner to check a longer signature, which may consist of several."""
ECDSA_SIGNATURE_BYTES = 65


def calldata(message: Message, signature: bytes) -> bytes:
    """Return the calldata for the message's entry point.

    Args:
        message: The message.
        signature: The signer's signature; empty where the caller is the signer.
    """
    fields = [_encode(message), (True, dynamic(signature))]
    return _selector(type(message)) + _join(fields)


def gas_limit(message: Message, signature: bytes, call: bytes) -> int:
    """Return the published gas cap of an action: the limit of its transaction and of its simulation.

    It is a formula, not an estimate, so that a change of state after the simulation cannot make the limit too low.

    Args:
        message: The message.
        signature: Its signature.
        call: The calldata of both.
    """
    return (
        TRANSACTION_GAS
        + CALLDATA_BYTE_GAS * len(call)
        + ACTION_GAS
        + message.extra_gas
        + (WALLET_GAS if len(signature) == ECDSA_SIGNATURE_BYTES else LONG_SIGNATURE_GAS)
    )


def view_call(function: str, *words: bytes) -> bytes:
    """Return the calldata of a view function whose arguments are single words.

    Args:
        function: Its signature, for example ``headOf(uint256)``.
        words: Its arguments, 32 bytes each.
    """
    return keccak256(function.encode())[:4] + b"".join(words)


def call_view(chain: Chain, contract: Address, data: bytes, block: str = "latest", *, words: int = 1) -> bytes:
    """Call a view function and return its result.

    An account without code returns nothing, and a node that lags behind, or follows another branch, does not have the
    contract yet.

    Args:
        chain: The chain.
        contract: The contract's address.
        data: The calldata.
        block: The height as 0x-prefixed hex, or a tag.
        words: The length of the result, in words of 32 bytes.

    Raises:
        ContractRefused: The contract reverted.
        RpcError: The node returned an error.
        ChainUnavailable: There was no usable answer, or the contract is not there at that block.
    """
    answer = simulate(chain, {"to": str(contract), "data": f"0x{data.hex()}"}, block)
    if len(answer) != words * WORD:
        raise ChainUnavailable(
            f"The contract at {contract} gave no answer: it is not there, or the node does not serve its state."
        )
    return answer


def simulate(chain: Chain, call: Mapping[str, str], block: str = "latest", *, refusals: RefusalTable = SHARED) -> bytes:
    """Execute a call without keeping its effects, and return its result.

    Args:
        chain: The chain.
        call: The call, in JSON-RPC form.
        block: The height as 0x-prefixed hex, or a tag.
        refusals: The errors with which the contract may revert.

    Raises:
        ContractRefused: The contract reverted.
        RpcError: The node returned an error.
        ChainUnavailable: There was no usable answer.
    """
    try:
        answer = chain.request("eth_call", [dict(call), block])
    except RpcError as error:
        refused = refusal_in(error, refusals)
        if refused is not None:
            raise refused from error
        raise
    return data_of(answer)


def refusal_in(error: RpcError, refusals: RefusalTable = SHARED) -> ContractRefused | None:
    """Return the contract's error in a node's answer to a call; None if the contract did not revert.

    Args:
        error: The node's error.
        refusals: The errors with which the contract may revert.
    """
    carried = error.data
    if isinstance(carried, Mapping):
        carried = carried.get("data", carried.get("result"))
    if isinstance(carried, str) and _is_hex(carried):
        return refusals.read(bytes.fromhex(carried[2:]))
    if error.code == EXECUTION_REVERTED or "revert" in error.message.lower():
        return refusals.read(b"")
    if "out of gas" in error.message.lower() or "outofgas" in error.message.lower():
        return ContractRefused(
            "OutOfGas",
            {},
            "The action needs more gas than its published cap.",
            hint="If the owner is a contract, its signature check may be too expensive.",
        )
    return None


def data_of(answer: Any) -> bytes:
    """Return the bytes in a JSON-RPC answer.

    Raises:
        ChainUnavailable: The answer is not 0x-prefixed hex.
    """
    if isinstance(answer, str) and _is_hex(answer):
        return bytes.fromhex(answer[2:])
    raise ChainUnavailable("The node returned an invalid answer: expected bytes in hex.")


def _is_hex(text: str) -> bool:
    if not text.startswith("0x") or len(text) % 2:
        return False
    try:
        bytes.fromhex(text[2:])
    except ValueError:
        return False
    return True


@cache
def _selector(message: type[Message]) -> bytes:
    return keccak256(f"{message.FUNCTION}({message.abi_type()},bytes)".encode())[:4]


def _encode(value: object) -> tuple[bool, bytes]:
    """Return whether a value's encoding is dynamic, and the encoding."""
    match value:
        case Struct():
            fields = [_encode(getattr(value, name)) for name in type(value).model_fields]
            return any(is_dynamic for is_dynamic, _ in fields), _join(fields)
        case tuple():
            return True, uint(len(value)) + _join([_encode(item) for item in value])
        case str():
            return True, dynamic(value.encode())
        case bytes():
            return False, left_padded(value)
        case int():
            return False, uint(value)
    raise TypeError(f"no ABI encoding for {type(value).__name__}")


def _join(fields: Sequence[tuple[bool, bytes]]) -> bytes:
    """Return heads, then tails. A dynamic value's head is the offset of its tail."""
    offset = sum(WORD if is_dynamic else len(encoded) for is_dynamic, encoded in fields)
    heads: list[bytes] = []
    tails: list[bytes] = []
    for is_dynamic, encoded in fields:
        if is_dynamic:
            heads.append(uint(offset))
            tails.append(encoded)
            offset += len(encoded)
        else:
            heads.append(encoded)
    return b"".join(heads + tails)
