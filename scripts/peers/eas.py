"""Measure the gas of an attestation with Ethereum Attestation Service 1.4, from its npm package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_utils.crypto import keccak
from web3 import Web3
from web3.contract import Contract

from scripts.gas import deploy, send

ARTIFACTS = Path(__file__).parent / "node_modules/@ethereum-attestation-service/eas-contracts/artifacts/contracts"
ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"
TYPES = {
    "Attest": [
        {"name": name, "type": kind}
        for kind, name in (
            ("address", "attester"),
            ("bytes32", "schema"),
            ("address", "recipient"),
            ("uint64", "expirationTime"),
            ("bool", "revocable"),
            ("bytes32", "refUID"),
            ("bytes", "data"),
            ("uint256", "value"),
            ("uint256", "nonce"),
            ("uint64", "deadline"),
        )
    ]
}


def _artifact(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((ARTIFACTS / f"{name}.sol" / f"{name}.json").read_text())
    return parsed


def measure(w3: Web3) -> dict[str, int]:
    """Return the gas of `attest` (128 bytes), of a second `attestByDelegation` (32 bytes), and of `revoke`."""
    schemas = deploy(w3, _artifact("SchemaRegistry"))
    eas = deploy(w3, _artifact("EAS"), schemas.address)
    sender = list(w3.eth.accounts)[1]
    registered = send(schemas.functions.register("bytes data", ZERO_ADDRESS, True), sender)
    schema = bytes(registered["logs"][0]["topics"][1])

    def data(length: int, label: str) -> tuple[object, ...]:
        content = b"".join(keccak(text=f"{label} {part}") for part in range(length // 32))
        return (ZERO_ADDRESS, 0, True, bytes(32), content, 0)

    for label in ("first", "warm"):
        direct = send(eas.functions.attest((schema, data(128, label))), sender)
        delegated = _attest_by_delegation(w3, eas, schema, data(32, label))
    (attested,) = eas.events.Attested().process_receipt(direct)
    revoked = send(eas.functions.revoke((schema, (attested["args"]["uid"], 0))), sender)
    return {
        "attest 128 B": int(direct["gasUsed"]),
        "attestByDelegation 32 B": delegated,
        "revoke": int(revoked["gasUsed"]),
    }


def _attest_by_delegation(w3: Web3, eas: Contract, schema: bytes, data: tuple[object, ...]) -> int:
    attester = Account.from_key(keccak(text="attester"))
    nonce = eas.functions.getNonce(attester.address).call()
    recipient, expiration, revocable, reference, content, value = data
    signed = attester.sign_typed_data(
        {"name": "EAS", "version": "1.4.0", "chainId": w3.eth.chain_id, "verifyingContract": eas.address},
        TYPES,
        {
            "attester": attester.address,
            "schema": schema,
            "recipient": recipient,
            "expirationTime": expiration,
            "revocable": revocable,
            "refUID": reference,
            "data": content,
            "value": value,
            "nonce": nonce,
            "deadline": 0,
        },
    )
    signature = (signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"))
    request = (schema, data, signature, attester.address, 0)
    return int(send(eas.functions.attestByDelegation(request), list(w3.eth.accounts)[2])["gasUsed"])
