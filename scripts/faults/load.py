"""Owners who register, revise and grant through a gateway that is killed again and again, and record its answers."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from eth_keys.datatypes import PrivateKey

from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, keccak256
from registry.ethereum.eip712 import Domain, Message
from registry.rooms.access.messages import AccessGrant
from registry.rooms.datasets.head import NO_HEAD
from registry.rooms.datasets.messages import Registration, Revision
from registry.sdk.operations.receipts import path_of

DEADLINE = 4_000_000_000  # In the year 2096, because a gateway refuses times more than a hundred years ahead.
OWNERS = 20
"""For each client."""
AMPLE = {f"TDR_GAS_{name}": str(10**12) for name in ("PER_HOUR", "PER_ACCOUNT", "PER_DATASET", "FOR_NEWCOMERS")}
"""Settings of a node on a network, without gas budgets, which a load of unlimited duration would use up."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A message that the gateway has acknowledged, and the id of its receipt."""

    message: Message
    receipt_id: str


@dataclass
class Load:
    """Several concurrent clients, each for many owners.

    Args:
        urls: The gateways; a client without an answer tries the next.
        chain_id: The chain's id.
        contracts: The contracts' addresses by name.
        seed: The seed of the messages.
        rate: The datasets per second that each client tries to register.
        acknowledged: The acknowledged messages.
        refused: The refused requests, as text.
    """

    urls: Sequence[str]
    chain_id: int
    contracts: dict[str, Address]
    seed: str
    rate: float = 3.0
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, clients: int) -> None:
        """Start a number of clients."""
        self._threads = [
            threading.Thread(target=self._client, args=(number,), name=f"client {number}") for number in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the clients; messages without an answer are given up."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _client(self, number: int) -> None:
        chance = random.Random(f"{self.seed} {number}")
        keys = [PrivateKey(keccak256(f"owner {self.seed} {number} {owner}".encode())) for owner in range(OWNERS)]
        with httpx.Client(timeout=10.0, trust_env=False) as http:
            count = 0
            while not self._stop.is_set():
                count += 1
                key = chance.choice(keys)
                registration = self._registration(key, f"{self.seed} {number} {count}")
                if self._send(http, registration, key) and chance.random() < 0.3:
                    # Sent immediately, whether or not its dataset is in a block yet.
                    self._send(http, self._next(registration, chance), key)
                self._stop.wait(chance.expovariate(self.rate))

    def _registration(self, key: PrivateKey, name: str) -> Registration:
        return Registration(
            owner=Address(key.public_key.to_canonical_address()),
            content_root=Bytes32(keccak256(name.encode())),
            metadata_hash=ZERO_BYTES32,
            uri="",
            salt=ZERO_BYTES32,
            sources=(),
            deadline=DEADLINE,
        )

    def _next(self, registration: Registration, chance: random.Random) -> Message:
        dataset_id = registration.dataset_id
        if chance.random() < 0.5:
            return AccessGrant(
                dataset_id=dataset_id,
                grantee=Address(b"\x11" * 20),
                rights=1,
                starts_at=0,
                expires_at=DEADLINE,
                terms_hash=ZERO_BYTES32,
                epoch=0,
                deadline=DEADLINE,
            )
        head = NO_HEAD.after_registration(
            dataset_id, registration.owner, registration.content_root, registration.metadata_hash, b"", ()
        )
        return Revision(
            dataset_id=dataset_id,
            head=head,
            content_root=Bytes32(keccak256(registration.content_root)),
            metadata_hash=ZERO_BYTES32,
            uri="",
            sources=(),
            deadline=DEADLINE,
        )

    def _send(self, http: httpx.Client, message: Message, key: PrivateKey) -> bool:
        """Send until it is acknowledged or refused; return whether it was acknowledged."""
        domain = Domain(message.CONTRACT, self.chain_id, self.contracts[message.CONTRACT])
        raw = key.sign_msg_hash(message.digest(domain)).to_bytes()
        body = {"message": message.to_json(), "signature": f"0x{raw[:64].hex()}{raw[64] + 27:02x}"}
        path = path_of(message)
        idempotency = {"Idempotency-Key": message.digest(domain).hex()}
        unknown = turn = 0
        while not self._stop.is_set():
            try:
                answer = http.post(self.urls[turn % len(self.urls)] + path, json=body, headers=idempotency)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 202:
                self.acknowledged.append(Acknowledged(message, answer.json()["id"]))
                return True
            if answer is not None and answer.status_code == 404 and not isinstance(message, Registration):
                unknown += 1  # The dataset is in no block yet.
                if unknown > 40:
                    return False
            elif answer is not None and answer.status_code < 500:
                self.refused.append(f"{answer.status_code} {path}: {answer.text}")
                return False
            turn += 1
            self._stop.wait(0.1)
        return False
