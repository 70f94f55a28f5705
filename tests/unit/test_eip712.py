"""The messages mirror the Solidity structs, and their digests are those of an outside wallet library."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_keys import keys
from eth_utils import keccak

from registry.base.errors import InvalidInput
from registry.base.primitives import Address
from registry.ethereum.eip712 import Domain, Message, Uint64Field
from registry.rooms.access.messages import AccessGrant
from registry.rooms.datasets.messages import Registration
from registry.rooms.protocols import PROTOCOLS

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests/vectors/eip712/vectors.json").read_text())


def interface(contract: str) -> str:
    (path,) = (ROOT / "contracts").glob(f"*/I{contract}.sol")
    return path.read_text()


@pytest.mark.parametrize("name", PROTOCOLS.messages)
def test_fields_stand_as_in_the_interface(name: str) -> None:
    model = PROTOCOLS.messages[name]
    body = re.search(rf"struct {name} {{(.*?)}}", interface(model.CONTRACT), re.DOTALL)
    assert body is not None
    assert dict(reversed(line.split()) for line in body[1].strip().rstrip(";").split(";")) == dict(model.fields())


@pytest.mark.parametrize("name", PROTOCOLS.messages)
def test_a_message_names_the_entry_point_that_takes_it(name: str) -> None:
    model = PROTOCOLS.messages[name]
    assert f"function {model.FUNCTION}({name} calldata message, bytes calldata signature)" in interface(model.CONTRACT)


def domain_of(vector: dict[str, Any]) -> Domain:
    domain = vector["domain"]
    return Domain(domain["name"], domain["chainId"], Address.parse(domain["verifyingContract"]))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_digest_is_the_one_that_viem_signed(vector: dict[str, Any]) -> None:
    message = PROTOCOLS.messages[vector["primaryType"]].parse(vector["message"])
    digest = message.digest(domain_of(vector))
    assert str(digest) == vector["digest"]
    assert message.to_json() == vector["message"]
    signature = bytes.fromhex(vector["signature"][2:])
    raw = keys.Signature(signature[:64] + bytes([signature[64] - 27]))
    assert raw.recover_public_key_from_msg_hash(digest).to_checksum_address() == vector["signer"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_wallet_given_the_typed_data_signs_the_same_digest(vector: dict[str, Any]) -> None:
    message = PROTOCOLS.messages[vector["primaryType"]].parse(vector["message"])
    signable = encode_typed_data(full_message=message.typed_data(domain_of(vector)))
    assert "0x" + keccak(b"\x19" + signable.version + signable.header + signable.body).hex() == vector["digest"]


def test_a_domain_of_another_contract_is_refused() -> None:
    vector = VECTORS[0]
    message = PROTOCOLS.messages[vector["primaryType"]].parse(vector["message"])
    with pytest.raises(InvalidInput, match="the domain is"):
        message.digest(Domain("SomethingElse", 1, Address(bytes(20))))


GRANT = {
    "datasetId": "0x" + "11" * 32,
    "grantee": "0x" + "22" * 20,
    "rights": 1,
    "startsAt": 0,
    "expiresAt": 10,
    "termsHash": "0x" + "00" * 32,
    "epoch": 0,
    "deadline": 10,
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("datasetId", "0x01"),
        ("datasetId", 1),
        ("grantee", "0x" + "00" * 20),
        ("grantee", "0x" + "22" * 19),
        ("rights", "1"),
        ("rights", True),
        ("rights", 1.0),
        ("rights", 0),
        ("rights", 2**32),
        ("epoch", -1),
        ("expiresAt", 0),
        ("expiresAt", 2**48),
        ("termsHash", "0x" + "00" * 31),
        ("deadline", 2**53),
        ("deadline", None),
        ("surprise", 1),
    ],
)
def test_a_malformed_field_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=field):
        AccessGrant.parse(GRANT | {field: value})


def test_a_missing_field_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="epoch"):
        AccessGrant.parse({name: value for name, value in GRANT.items() if name != "epoch"})


REGISTRATION = {
    "owner": "0x" + "22" * 20,
    "contentRoot": "0x" + "33" * 32,
    "metadataHash": "0x" + "00" * 32,
    "uri": "",
    "salt": "0x" + "00" * 32,
    "sources": [],
    "deadline": 10,
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uri", "文" * 171),
        ("uri", "\ud800"),
        ("contentRoot", "0x" + "00" * 32),
        ("sources", [{"datasetId": "0x" + "11" * 32, "version": 1}] * 2),
        ("sources", [{"datasetId": "0x" + "11" * 32, "version": 0}]),
        ("sources", [{"datasetId": f"0x{number:064x}", "version": 1} for number in range(33)]),
        ("sources", {"datasetId": "0x" + "11" * 32, "version": 1}),
    ],
)
def test_what_the_contract_would_refuse_is_refused_before(field: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=field):
        Registration.parse(REGISTRATION | {field: value})


def test_a_message_without_a_subject_cannot_be_made() -> None:
    class Aimless(Message):
        deadline: Uint64Field

    with pytest.raises(TypeError, match="abstract method"):
        Aimless.parse({"deadline": 5})
