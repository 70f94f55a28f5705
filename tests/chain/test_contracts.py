"""Calldata compared with eth_abi, and contract errors in a node's errors."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector, keccak
from hypothesis import given
from hypothesis import strategies as st

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.chain.calls import calldata, refusal_in
from registry.chain.client import RpcError
from registry.ethereum.eip712 import Message
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.datasets.messages import Registration, Revision, Source, TitleTransfer, Withdrawal
from registry.rooms.protocols import PROTOCOLS

A = Address(b"\xaa" * 20)
R = Bytes32(keccak(b"root"))
ID = DatasetId(keccak(b"id"))

MESSAGES: list[Message] = [
    Registration(owner=A, content_root=R, metadata_hash=R, uri="ü" * 31, salt=R, sources=(), deadline=9),
    Revision(
        dataset_id=ID,
        head=R,
        content_root=R,
        metadata_hash=R,
        uri="",
        sources=(
            Source(dataset_id=DatasetId(bytes(31) + b"\x01"), version=1),
            Source(dataset_id=ID, version=2**24 - 1),
        ),
        deadline=2**53 - 1,
    ),
    TitleTransfer(dataset_id=ID, head=R, to=A, deadline=0),
    Withdrawal(dataset_id=ID, head=R, reason="x" * 32, deadline=1),
    AccessRequest(dataset_id=ID, grantee=A, rights=1, expires_at=2**48 - 1, purpose="für", requests=3, deadline=1),
    AccessGrant(
        dataset_id=ID, grantee=A, rights=2**32 - 1, starts_at=0, expires_at=5, terms_hash=R, epoch=7, deadline=1
    ),
    AccessRevocation(dataset_id=ID, grantee=A, epoch=2**32 - 1, deadline=1),
]


def oracle(message: Message, signature: bytes) -> bytes:
    signature_text = f"{message.FUNCTION}({message.abi_type()},bytes)"
    return function_signature_to_4byte_selector(signature_text) + encode(
        [message.abi_type(), "bytes"], [message.abi_tuple(), signature]
    )


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
@pytest.mark.parametrize("signature", [b"", b"\x01" * 65, b"\x02" * 4096])
def test_calldata_is_what_eth_abi_encodes(message: Message, signature: bytes) -> None:
    assert calldata(message, signature) == oracle(message, signature)


@given(
    uri=st.text(st.characters(exclude_categories=["Cs"]), max_size=120),
    sources=st.sets(st.tuples(st.binary(min_size=32, max_size=32), st.integers(1, 2**24 - 1)), max_size=32),
    signature=st.binary(max_size=200),
)
def test_calldata_of_any_registration_is_what_eth_abi_encodes(
    uri: str, sources: set[tuple[bytes, int]], signature: bytes
) -> None:
    message = Registration(
        owner=A,
        content_root=R,
        metadata_hash=R,
        uri=uri,
        salt=R,
        sources=tuple(Source(dataset_id=DatasetId(one), version=version) for one, version in sorted(sources)),
        deadline=1,
    )
    assert calldata(message, signature) == oracle(message, signature)


REVERT = "0x" + (function_signature_to_4byte_selector("DatasetUnknown(uint256)") + encode(["uint256"], [5])).hex()


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (RpcError(3, "execution reverted", REVERT), "DatasetUnknown"),
        (RpcError(-32000, "VM execution error", {"data": REVERT}), "DatasetUnknown"),
        (RpcError(-32015, "reverted", {"message": "x", "result": REVERT}), "DatasetUnknown"),
        (RpcError(3, "execution reverted", "0x"), "Reverted"),
        (RpcError(3, "execution reverted"), "Reverted"),
        (RpcError(-32000, "out of gas"), "OutOfGas"),
        (RpcError(-32000, "header not found"), None),
        (RpcError(-32000, "strange", "not hex"), None),
    ],
)
def test_a_contracts_error_is_told_from_a_nodes(error: Any, name: str | None) -> None:
    refused = refusal_in(error, PROTOCOLS.refusals)
    assert (refused.name if refused else None) == name
