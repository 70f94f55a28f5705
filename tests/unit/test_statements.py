"""Statements are typed data as another library signs it, and count for nothing else."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from registry.base.errors import InvalidInput
from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.ethereum.eip712 import Domain
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets.statements import DatasetStatement, Publication, Retraction
from registry.rooms.protocols import PROTOCOLS

DOMAIN = Domain("DatasetRegistry", 31337, Address(b"\x0d" * 20))
ID, ROOT, METADATA = DatasetId(b"\x01" * 32), Bytes32(b"\x02" * 32), Bytes32(b"\x03" * 32)
NAMED = {"dataset_id": ID, "version": 7, "content_root": ROOT, "metadata_hash": METADATA}
EXAMPLES: list[DatasetStatement] = [
    Publication(**NAMED, deadline=1_900_000_000),
    Retraction(**NAMED, reason="含个人信息", deadline=1_900_000_000),
    RequestPolicy(dataset_id=ID, accepted=False, issued_at=1_800_000_000, deadline=1_900_000_000),
    RequestPolicy(dataset_id=ID, accepted=True, issued_at=1_800_000_000, deadline=1_900_000_000),
]


@pytest.mark.parametrize("statement", EXAMPLES, ids=lambda statement: type(statement).__name__)
def test_the_digest_is_the_one_that_eth_account_signs(statement: DatasetStatement) -> None:
    typed = statement.typed_data(DOMAIN)
    typed["message"] |= {"datasetId": int(typed["message"]["datasetId"], 16)}
    signable = encode_typed_data(full_message=typed)
    digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
    assert statement.digest(DOMAIN) == digest
    assert Account.from_key(b"\x05" * 32).sign_typed_data(full_message=typed).message_hash == digest


def test_no_statement_has_the_type_of_a_message_or_of_another() -> None:
    hashes = [struct.type_hash() for struct in (Publication, Retraction, RequestPolicy, *PROTOCOLS.messages.values())]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("kind", [Publication, Retraction])
def test_a_statement_about_no_document_is_refused(kind: type[Publication] | type[Retraction]) -> None:
    values = {"datasetId": str(ID), "version": 1, "contentRoot": str(ZERO_BYTES32), "metadataHash": str(ZERO_BYTES32)}
    with pytest.raises(InvalidInput, match="names no document"):
        kind.parse(values | {"deadline": 1} | ({"reason": ""} if kind is Retraction else {}))


@pytest.mark.parametrize("accepted", [0, 1, "true", None])
def test_a_policy_is_true_or_false_and_nothing_like_it(accepted: object) -> None:
    with pytest.raises(InvalidInput, match="accepted"):
        RequestPolicy.parse({"datasetId": str(ID), "accepted": accepted, "issuedAt": 1, "deadline": 1})
