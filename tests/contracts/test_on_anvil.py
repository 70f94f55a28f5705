"""What needs another chain's ways: any chain id and address for the digests, and a storage slot set by hand."""

from __future__ import annotations

import itertools
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError

from .world import ROOT, VECTORS, ZERO, artifact, dataset_id

ANVIL = ROOT / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
DIGESTS = {
    "Registration": "registrationDigest",
    "Revision": "revisionDigest",
    "TitleTransfer": "titleTransferDigest",
    "Withdrawal": "withdrawalDigest",
    "AccessRequest": "accessRequestDigest",
    "AccessGrant": "accessGrantDigest",
    "AccessRevocation": "accessRevocationDigest",
}


def started(chain_id: int, folder: Path) -> tuple[subprocess.Popen[bytes], Web3]:
    """An anvil of its own on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([ANVIL, "--port", str(port), "--chain-id", str(chain_id), "--silent"], cwd=folder)
    w3 = Web3(HTTPProvider(f"http://127.0.0.1:{port}"))
    until = time.monotonic() + 20
    while not w3.is_connected():
        assert time.monotonic() < until, "anvil does not answer"
        time.sleep(0.05)
    return process, w3


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[Web3]:
    process, w3 = started(31337, tmp_path)
    yield w3
    process.kill()
    process.wait()


def deployed(w3: Web3, name: str, *arguments: Any) -> Contract:
    made = artifact(name)
    factory = w3.eth.contract(abi=made["abi"], bytecode=made["bytecode"])
    sent = factory.constructor(*arguments).transact({"from": w3.eth.accounts[0]})
    return factory(w3.eth.wait_for_transaction_receipt(sent)["contractAddress"])


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


def test_the_contracts_compute_the_digests_that_viem_signed(tmp_path: Path) -> None:
    compared = 0
    for chain_id, vectors in itertools.groupby(sorted(VECTORS, key=chain_of), chain_of):
        process, w3 = started(chain_id, tmp_path)
        try:
            registry = deployed(w3, "DatasetRegistry")
            contracts = {"DatasetRegistry": registry, "AccessGrants": deployed(w3, "AccessGrants", registry.address)}
            for vector in vectors:
                contract = contracts[vector["domain"]["name"]]
                place = Web3.to_checksum_address(vector["domain"]["verifyingContract"])
                code = w3.eth.get_code(contract.address).to_0x_hex()
                w3.provider.make_request("anvil_setCode", [place, code])  # type: ignore[arg-type]
                digest = contract.__class__(place).functions[DIGESTS[vector["primaryType"]]]
                assert "0x" + digest(values(vector["message"])).call().hex() == vector["digest"], vector["name"]
                compared += 1
        finally:
            process.kill()
            process.wait()
    assert compared == len(VECTORS)


def test_a_dataset_at_the_highest_version_takes_no_further_one(anvil: Web3) -> None:
    """C3: the version number never wraps."""
    registry = deployed(anvil, "DatasetRegistry")
    owner = anvil.eth.accounts[0]
    registration = {
        "owner": owner,
        "contentRoot": keccak(text="root"),
        "metadataHash": ZERO,
        "uri": "",
        "salt": ZERO,
        "sources": [],
        "deadline": 2**53,
    }
    anvil.eth.wait_for_transaction_receipt(
        registry.functions.register(registration, b"").transact({"from": owner, "gas": 10**6})
    )
    one = dataset_id(registration)
    slot = keccak(one.to_bytes(32, "big") + artifact("DatasetRegistry")["storage"]["_heads"].to_bytes(32, "big"))
    assert (
        anvil.eth.get_storage_at(registry.address, int.from_bytes(slot, "big")) == registry.functions.headOf(one).call()
    )
    for version, refused in ((2**24 - 2, False), (2**24 - 1, True)):
        head = b"\x11" * 28 + version.to_bytes(3, "big") + b"\x00"
        anvil.provider.make_request(
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
