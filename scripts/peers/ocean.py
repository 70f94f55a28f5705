"""Measure the gas of access to a free dataset with Ocean Protocol 2.6, from its npm package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak
from web3 import Web3
from web3.logs import DISCARD

from scripts.gas import deploy, send

ARTIFACTS = Path(__file__).parent / "node_modules/@oceanprotocol/contracts/artifacts/contracts"
ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"
ONE_TOKEN = 10**18


def _artifact(path: str) -> dict[str, Any]:
    name = path.rpartition("/")[2]
    parsed: dict[str, Any] = json.loads((ARTIFACTS / f"{path}.sol" / f"{name}.json").read_text())
    return parsed


def measure(w3: Web3) -> dict[str, int]:
    """Return the gas of `dispense` and `startOrder` together, by the second consumer of a dataset."""
    owner, publisher, *consumers = list(w3.eth.accounts)[:4]
    collector = deploy(w3, _artifact("communityFee/OPFCommunityFeeCollector"), owner, owner)
    unused = collector.address
    router = deploy(w3, _artifact("pools/FactoryRouter"), owner, unused, unused, collector.address, [])
    nft_template = deploy(w3, _artifact("templates/ERC721Template"))
    token_template = deploy(w3, _artifact("templates/ERC20Template"))
    factory = deploy(w3, _artifact("ERC721Factory"), nft_template.address, token_template.address, router.address)
    dispenser = deploy(w3, _artifact("pools/dispenser/Dispenser"), router.address)
    send(router.functions.addFactory(factory.address), owner)
    send(router.functions.addDispenserContract(dispenser.address), owner)
    created = send(
        factory.functions.createNftWithErc20WithDispenser(
            ("A dataset", "DATA", 1, "https://data.example.org/1", True, publisher),
            (1, ["Access", "ACCESS"], [publisher, publisher, publisher, ZERO_ADDRESS], [1000 * ONE_TOKEN, 0], []),
            (dispenser.address, ONE_TOKEN, ONE_TOKEN, True, ZERO_ADDRESS),
        ),
        publisher,
    )
    (event,) = factory.events.TokenCreated().process_receipt(created, errors=DISCARD)
    token = w3.eth.contract(event["args"]["newTokenAddress"], abi=token_template.abi)
    for consumer in consumers:
        dispensed = send(dispenser.functions.dispense(token.address, ONE_TOKEN, consumer), consumer)
        ordered = send(token.functions.startOrder(consumer, 1, _no_fee(), (ZERO_ADDRESS, ZERO_ADDRESS, 0)), consumer)
    return {"dispense + startOrder": int(dispensed["gasUsed"]) + int(ordered["gasUsed"])}


def _no_fee() -> tuple[object, ...]:
    """Return the provider's signed statement that it takes no fee."""
    provider = Account.from_key(keccak(text="provider"))
    data = b""
    statement = keccak(data + bytes.fromhex(provider.address[2:]) + bytes(20) + bytes(32) + bytes(32))
    signed = provider.sign_message(encode_defunct(statement))
    return (
        provider.address,
        ZERO_ADDRESS,
        0,
        signed.v,
        signed.r.to_bytes(32, "big"),
        signed.s.to_bytes(32, "big"),
        0,
        data,
    )
