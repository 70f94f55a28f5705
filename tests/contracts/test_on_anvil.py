"""What needs another chain's ways: any chain id and address for the digests, and a storage slot set by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from eth_utils.crypto import keccak
from web3 import Web3
from web3.exceptions import ContractCustomError

from scripts.anvil import anvil
from scripts.gas import deploy

from .heads import dataset_id
from .world import VECTORS, ZERO, artifact

DIGESTS = {
    "Registration": "registrationDigest",
    "Revision": "revisionDigest",
    "TitleTransfer": "titleTransferDigest",
    "Withdrawal": "withdrawalDigest",
    "AccessRequest": "accessRequestDigest",
    "AccessGrant": "accessGrantDigest",
    "AccessRevocation": "accessRevocationDigest",
}


@pytest.fixture
def w3() -> Iterator[Web3]:
    with anvil() as chain:
        yield chain


def values(message: dict[str, Any]) -> dict[str, Any]:
    """A vector's message with the numbers that the ABI has where JSON has hex."""
    return {
        name: int(value, 16)
        if name == "datasetId"
        else [values(source) for source in value]
        if name == "sources"
        else value
        for name, value in message.items()
    }


def chain_of(vector: dict[str, Any]) -> int:
    chain: int = vector["domain"]["chainId"]
    return chain


def test_the_contracts_compute_the_digests_that_viem_signed() -> None:
    compared = 0
    for chain_id, vectors in itertools.groupby(sorted(VECTORS, key=chain_of), chain_of):
        with anvil(chain_id) as w3:
            registry = deploy(w3, artifact("DatasetRegistry"))
            contracts = {
                "DatasetRegistry": registry,
                "AccessGrants": deploy(w3, artifact("AccessGrants"), registry.address),
            }
            for vector in vectors:
                contract = contracts[vector["domain"]["name"]]
                place = Web3.to_checksum_address(vector["domain"]["verifyingContract"])
                code = w3.eth.get_code(contract.address).to_0x_hex()
                w3.provider.make_request("anvil_setCode", [place, code])  # type: ignore[arg-type]
                digest = contract.__class__(place).functions[DIGESTS[vector["primaryType"]]]
                assert "0x" + digest(values(vector["message"])).call().hex() == vector["digest"], vector["name"]
                compared += 1
    assert compared == len(VECTORS)


def test_a_dataset_at_the_highest_version_takes_no_further_one(w3: Web3) -> None:
    """C3: the version number never wraps."""
    registry = deploy(w3, artifact("DatasetRegistry"))
    owner = w3.eth.accounts[0]
    registration = {
        "owner": owner,
        "contentRoot": keccak(text="root"),
        "metadataHash": ZERO,
        "uri": "",
        "salt": ZERO,
        "sources": [],
        "deadline": 2**53,
    }
    w3.eth.wait_for_transaction_receipt(
        registry.functions.register(registration, b"").transact({"from": owner, "gas": 10**6})
    )
    one = dataset_id(registration)
    slot = keccak(one.to_bytes(32, "big") + artifact("DatasetRegistry")["storage"]["_heads"].to_bytes(32, "big"))
    assert w3.eth.get_storage_at(registry.address, int.from_bytes(slot, "big")) == registry.functions.headOf(one).call()
    for version, refused in ((2**24 - 2, False), (2**24 - 1, True)):
        head = b"\x11" * 28 + version.to_bytes(3, "big") + b"\x00"
        w3.provider.make_request(
            "anvil_setStorageAt",  # type: ignore[arg-type]
            [registry.address, "0x" + slot.hex(), "0x" + head.hex()],
        )
        revision = {name: registration[name] for name in ("contentRoot", "metadataHash", "uri", "sources", "deadline")}
        call = registry.functions.revise(revision | {"datasetId": one, "head": head}, b"")
        if refused:
            selector = "0x" + keccak(text="VersionsExhausted(uint256)")[:4].hex()
            with pytest.raises(ContractCustomError, match=selector):
                call.call({"from": owner})
        else:
            assert call.call({"from": owner}) == 2**24 - 1
