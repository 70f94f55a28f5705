"""C14: the maximum cost of each action, with all inputs at their largest."""

from __future__ import annotations

from typing import Any

import pytest
from eth_typing import HexStr
from web3.types import Wei

from .test_signatures import KINDS, message_of, signer_of
from .world import GAS, World

CAPS = {
    "Registration": 300_000,
    "Revision": 240_000,
    "TitleTransfer": 85_000,
    "Withdrawal": 65_000,
    "AccessRequest": 90_000,
    "AccessGrant": 75_000,
    "AccessRevocation": 50_000,
}
"""Gas of the whole transaction, signed by a key and relayed (what an ERC-1271 wallet needs to check comes on
top). Published in the documentation of the contracts."""


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_message_stays_under_its_published_cap(world: World, dataset: int, kind: str) -> None:
    """C14: gas per action under its published cap."""
    sources = [{"datasetId": one, "version": 1} for one in sorted(world.register() for _ in range(32))]
    largest: dict[str, dict[str, Any]] = {
        "Registration": {"owner": world.operator.address, "uri": "\xff" * 256, "sources": sources},
        "Revision": {"uri": "\xff" * 256, "sources": sources},
        "Withdrawal": {"reason": "\xff" * 256},
        "AccessRequest": {"purpose": "\xff" * 256, "rights": 2**32 - 1, "expiresAt": 2**48 - 1},
        "AccessGrant": {"rights": 2**32 - 1, "startsAt": 2**48 - 2, "expiresAt": 2**48 - 1},
    }
    message = message_of(world, kind, dataset) | largest.get(kind, {}) | {"deadline": 2**64 - 1}
    signer = world.operator if kind == "Registration" else signer_of(world, kind)
    used = world.relay(kind, message, signer)["gasUsed"]
    assert CAPS[kind] * 3 // 4 < used <= CAPS[kind]


@pytest.mark.parametrize("contract", ["registry", "grants"])
def test_ether_that_is_sent_along_is_refused(world: World, dataset: int, contract: str) -> None:
    """C14: no contract holds ether by accident."""
    address = getattr(world, contract).address
    register = world.registry.encode_abi("register", [world.registration(), b""])
    grant = world.grants.encode_abi("grant", [world.grant(dataset), b""])
    for data in (register, grant, "0x"):
        sent = world.w3.eth.send_transaction(
            {"from": world.owner.address, "to": address, "value": Wei(1), "gas": GAS, "data": HexStr(data)}
        )
        assert world.w3.eth.get_transaction_receipt(sent)["status"] == 0
    assert world.w3.eth.get_balance(address) == 0
