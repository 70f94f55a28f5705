"""The strangers' load where gas costs money: every way to make the relayer pay for useless transactions.

The outcome of an attempt is "202", the status and kind of a refusal, or "wrong" with a reason if a refusal differs from
docs/http.md.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId
from registry.keys.signer import Signer
from registry.relay.budgets import HOUR
from registry.rooms.datasets.messages import Revision
from scripts.strangers.kinds import Kind
from scripts.strangers.target import Target, account

ACCOMMODATING: Final = bytes.fromhex("631626ba7e60e01b60005260206000f3")
"""A wallet that accepts every signature (ERC-1271)."""
BURNING: Final = bytes.fromhex("3a15600657fe5b") + ACCOMMODATING
"""A wallet that accepts if gas is free, and otherwise uses all gas."""
FICKLE: Final = bytes.fromhex("4360011615600957fe5b") + ACCOMMODATING
"""A wallet that accepts in blocks with even numbers, and otherwise uses all gas. No simulation can detect it."""
LONG_SIGNATURE: Final = f"0x{'00' * 70}"
"""A signature that only a contract can accept."""
WRONG: Final = "wrong"
BUDGET: Final = "budget of"
"""The text in every refusal by a gas budget."""
_SCOPES: Final = {
    "for accounts that have not": "newcomers",
    "for the account": "an account",
    "for requests for": "an owner's requests",
    "for the dataset": "a dataset",
    "for all messages": "the hour",
}
"""The name of each budget in refusals, and its name in the table of results."""


@dataclass
class Burners:
    """The strangers and their wallets.

    Args:
        burning: A wallet that burns gas where gas costs money.
        fickle: Wallets that burn gas in every other block.
        greedy: The name of an account that does everything with one key.
        dataset: A dataset of the greedy account.
    """

    burning: Address
    fickle: Sequence[Address]
    greedy: str
    dataset: DatasetId
    _failing: dict[str, Any] = field(default_factory=dict)

    def kinds(self) -> tuple[Kind, ...]:
        """Return every kind of load, with its rate."""
        return (
            Kind("wallet that burns gas where it costs something", self.burn, 2, 4),
            Kind("wallet that burns gas in every other block", self.change_the_mind, 2, 4),
            Kind("the same message again and again", self.repeat, 4, 4),
            Kind("registrations by throw-away keys", self.register_with_a_new_key, 4, 8),
            Kind("registrations by one key", self.register_with_one_key, 4, 4),
            Kind("one dataset revised continuously", self.revise, 4, 4),
            Kind("requests for access by throw-away keys", self.ask_for_access, 4, 8),
        )

    async def burn(self, target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
        """Register for a wallet that burns all gas if gas costs money."""
        return await _post(http, "/v1/datasets", _for_wallet(target, self.burning, chance))

    async def change_the_mind(self, target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
        """Register for a wallet that accepts in the simulation and may refuse in the transaction."""
        self._failing = _for_wallet(target, chance.choice(self.fickle), chance)
        return await _post(http, "/v1/datasets", self._failing)

    async def repeat(self, target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
        """Post again a message that may have failed; it must not be paid for twice."""
        return await _post(http, "/v1/datasets", self._failing) if self._failing else "nothing yet"

    async def register_with_a_new_key(self, target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
        """Register with a key that is used once."""
        return await _register(target, http, account(f"stranger {chance.getrandbits(64)}"), chance)

    async def register_with_one_key(self, target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
        """Register one dataset after another with one key."""
        return await _register(target, http, account(self.greedy), chance)

    async def revise(self, target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
        """Revise one dataset; of several revisions within a block, all pass the simulation and one succeeds."""
        place = f"/v1/datasets/{self.dataset}"
        head = Bytes32.parse((await http.get(place)).json()["head"])
        message = Revision(
            dataset_id=self.dataset,
            head=head,
            content_root=Bytes32(chance.randbytes(32)),
            metadata_hash=ZERO_BYTES32,
            uri="",
            sources=(),
            deadline=target.deadline,
        )
        return await _post(http, f"{place}/versions", target.body(message, account(self.greedy)))

    async def ask_for_access(self, target: Target, http: httpx.AsyncClient, chance: random.Random) -> object:
        """Ask for access to the victim's dataset with a key that is used once."""
        by = account(f"stranger {chance.getrandbits(64)}")
        return await _post(http, f"/v1/datasets/{target.small}/requests", target.body(target.request(by, 0), by))


def _for_wallet(target: Target, wallet: Address, chance: random.Random) -> dict[str, Any]:
    return {"message": target.registration_of(wallet, chance).to_json(), "signature": LONG_SIGNATURE}


async def _register(target: Target, http: httpx.AsyncClient, by: Signer, chance: random.Random) -> object:
    return await _post(http, "/v1/datasets", target.body(target.registration_of(by.address, chance), by))


async def _post(http: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> str:
    sent = time.time()
    return outcome(await http.post(path, json=body), sent, time.time())


def outcome(answer: httpx.Response, sent: float, came: float) -> str:
    """Return the outcome of an attempt, and what is wrong with a refusal.

    Args:
        answer: The gateway's answer.
        sent: When the request was sent, Unix seconds.
        came: When the answer arrived, Unix seconds.
    """
    if answer.status_code == httpx.codes.ACCEPTED:
        return "202"
    try:
        problem = answer.json()
        kind, detail, status = str(problem["type"]), str(problem["detail"]), problem["status"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return f"{WRONG}: {answer.status_code} without a problem"
    if answer.headers["content-type"] != "application/problem+json" or status != answer.status_code:
        return f"{WRONG}: {answer.status_code} {answer.headers['content-type']} says {status}"
    if BUDGET not in detail:
        return f"{answer.status_code} {kind.rpartition('/')[2]}"
    wait = answer.headers.get("retry-after", "")
    ends = {HOUR * (int(moment // HOUR) + 1) for moment in (sent, came)}
    if answer.status_code != httpx.codes.TOO_MANY_REQUESTS or not wait.isdecimal():
        return f"{WRONG}: {answer.status_code} with Retry-After {wait!r}"
    if not any(sent + int(wait) - 1 <= end <= came + int(wait) + 1 for end in ends):
        return f"{WRONG}: Retry-After {wait} does not lead to the end of the hour"
    scope = next((scope for words, scope in _SCOPES.items() if words in detail), "?")
    return f"429 {BUDGET} {scope}"
