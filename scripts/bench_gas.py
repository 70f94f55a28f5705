"""Compare the gas of each action with that of alternatives, all on one anvil in one run.

Ours: a 60-byte URI and two hashes (content root and metadata, or dataset and terms); a holder who already has a
dataset; a first grant to a grantee. EAS attests any data under a schema, checks the schema, and can call a resolver; it
does not keep titles or heads. Ocean's dispense and order (by a dataset's second consumer) mint and move an access token
and settle three kinds of fees; it handles payments, but neither terms nor revocations.

A contract separate from the registry cannot meet the goals of grant and revoke: the protocol's charges for the
transaction, its calldata, the query for the owner (a cold account and a cold slot), one storage slot and one event
exceed them before any instruction runs. The table of gas by purpose shows this.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak
from rich.console import Console
from rich.table import Table
from web3 import Web3
from web3.contract.contract import ContractFunction

from scripts.anvil import anvil
from scripts.figures import Figure
from scripts.gas import Spent, deploy, send, spent
from scripts.peers import eas, ocean

ARTIFACTS = Path(__file__).resolve().parent.parent / "registry" / "artifacts"
URI = "https://data.example.org/penguins/2026/metadata.json?version"
GOALS = {
    "register": ("EAS attest 128 B", 85_000),
    "register, relayed": ("EAS attestByDelegation 32 B", 95_000),
    "revise": ("EAS attest 128 B", 50_000),
    "grant": ("Ocean dispense + startOrder", 52_000),
    "revoke": ("EAS revoke", 31_500),
}


def run() -> Iterator[Figure]:
    """Yield the figures; print the gas of this project's actions by purpose."""
    if len(URI) != 60:
        raise ValueError("The URI in the comparison must have 60 bytes.")
    with anvil() as w3:
        ours = measure(w3)
        peers = {f"EAS {name}": gas for name, gas in eas.measure(w3).items()}
        peers |= {f"Ocean {name}": gas for name, gas in ocean.measure(w3).items()}
    Console(width=None if sys.stdout.isatty() else 150).print(breakdown(ours))
    for name, gas in ours.items():
        peer, goal = GOALS.get(name, ("", None))
        theirs = peers.get(peer)
        yield Figure(
            name=f"gas: {name}",
            value=gas.total,
            unit="gas",
            peer=peer,
            peer_value=theirs,
            ratio=None if theirs is None else round(theirs / gas.total, 2),
            goal="" if goal is None else f"<= {goal}",
            met=None if goal is None else gas.total <= goal,
        )


def measure(w3: Web3) -> dict[str, Spent]:
    """Return the gas of this project's actions in the usual case: all slots are cold, and only created ones are new."""
    registry = deploy(w3, _artifact("DatasetRegistry"))
    grants = deploy(w3, _artifact("AccessGrants"), registry.address)
    owner, grantee, requester, heir, relayer = list(w3.eth.accounts)[5:10]
    signer = Account.from_key(keccak(text="signer"))
    deadline = w3.eth.get_block("latest")["timestamp"] + 3600

    def registration(of: str, label: str) -> tuple[object, ...]:
        root, metadata, salt = (keccak(text=f"{label} {part}") for part in ("root", "metadata", "salt"))
        return (of, root, metadata, URI, salt, [], deadline)

    def cost(call: ContractFunction, sender: ChecksumAddress) -> Spent:
        return spent(w3, send(call, sender))

    def relayed(label: str) -> Spent:
        message = registration(signer.address, label)
        signature = signer.unsafe_sign_hash(registry.functions.registrationDigest(message).call()).signature
        return cost(registry.functions.register(message, signature), relayer)

    figures = {}
    figures["register, first of its holder"] = cost(registry.functions.register(registration(owner, "1"), b""), owner)
    message = registration(owner, "2")
    figures["register"] = cost(registry.functions.register(message, b""), owner)
    relayed("3")
    figures["register, relayed"] = relayed("4")

    dataset = registry.functions.datasetIdOf(owner, message[1], message[4]).call()
    root, metadata, terms = keccak(text="root 2"), keccak(text="metadata 2"), keccak(text="terms")
    head = registry.functions.headOf(dataset).call()
    figures["revise"] = cost(registry.functions.revise((dataset, head, root, metadata, URI, [], deadline), b""), owner)
    ask = (dataset, requester, 3, deadline, "to compare the growth of two colonies", 0, deadline)
    figures["request access"] = cost(grants.functions.requestAccess(ask, b""), requester)
    for epoch, name in ((0, "grant"), (2, "grant again")):
        grant = (dataset, grantee, 3, 0, deadline, terms, epoch, deadline)
        figures[name] = cost(grants.functions.grant(grant, b""), owner)
        revoked = cost(grants.functions.revoke((dataset, grantee, epoch + 1, deadline), b""), owner)
        figures.setdefault("revoke", revoked)
    head = registry.functions.headOf(dataset).call()
    figures["transfer"] = cost(registry.functions.transfer((dataset, head, heir, deadline), b""), owner)
    head = registry.functions.headOf(dataset).call()
    figures["withdraw"] = cost(registry.functions.withdraw((dataset, head, "superseded", deadline), b""), heir)
    return figures


def breakdown(figures: dict[str, Spent]) -> Table:
    """Return the gas of each action by purpose."""
    parts = ("total", "intrinsic", "calldata", "cold_accounts", "cold_slots", "stores", "logs", "execution")
    result = Table("action", title="Where the gas goes")
    for part in parts:
        result.add_column(part.replace("_", " "), justify="right")
    for name, gas in figures.items():
        result.add_row(name, *(f"{getattr(gas, part):,}" for part in parts))
    return result


def _artifact(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((ARTIFACTS / f"{name}.json").read_text())
    return parsed
