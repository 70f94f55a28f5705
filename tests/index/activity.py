"""People who use the contracts on anvil at random, and a chain that reorganises.

Transactions are signed here and sent as they are, so that the same one can be taken out of the chain and put back in.
Some revert, because what they name has changed in the meantime: that is part of it.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId, keccak256
from registry.chain.calls import calldata
from registry.chain.client import Chain, RpcError
from registry.ethereum.abi import left_padded, uint
from registry.ethereum.eip712 import Message
from registry.index.sync import Indexer
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.datasets.messages import Registration, Revision, Source, TitleTransfer, Withdrawal
from registry.rooms.deployment import Deployment

ARTIFACTS = Path(__file__).parents[2] / "registry/artifacts"
LATER = 2**40
GAS = 700_000
ACTIONS = (
    "revise",
    "revise",
    "transfer",
    "erc721",
    "withdraw",
    "approve",
    "request",
    "grant",
    "grant",
    "grant",
    "revoke",
    "revoke",
)


class Activity:
    """Random users of two fresh contracts.

    Args:
        chain: An anvil that mines only when told to.
        seed: Decides everything that happens.
        people: How many there are.
    """

    def __init__(self, chain: Chain, seed: int = 0, people: int = 6) -> None:
        self.chain = chain
        self.random = random.Random(seed)
        self.people: list[LocalAccount] = [Account.from_key(keccak256(b"person" + bytes([n]))) for n in range(people)]
        self.chain_id = int(chain.request("eth_chainId"), 16)
        self.salt = 0
        self.known: list[DatasetId] = []
        self.time = int(chain.request("eth_getBlockByNumber", ["latest", False])["timestamp"], 16)
        for person in self.people:
            chain.request("anvil_setBalance", [person.address, hex(10**24)])
        self.deployment = self._deploy()

    def address(self, person: LocalAccount) -> Address:
        return Address.parse(person.address)

    def mine(self, blocks: int = 1) -> None:
        """Makes blocks, each a random few seconds after the one before: so no two branches are ever the same."""
        for _ in range(blocks):
            self.time += self.random.randint(1, 20)
            self.chain.request("evm_mine", [self.time])

    def act(self, times: int = 1) -> list[str]:
        """Send some random transactions; return them as they were sent."""
        return [self.send_call(*self._random_call()) for _ in range(times)]

    def send(self, person: LocalAccount, message: Message) -> str:
        """Send one message from its signer."""
        return self.send_call(person, self.deployment.address_of(message.CONTRACT), calldata(message, b""))

    def registration(self, person: LocalAccount, **fields: Any) -> Registration:
        self.salt += 1
        values: dict[str, Any] = {
            "owner": self.address(person),
            "content_root": Bytes32(keccak256(uint(self.random.randint(1, 40)))),
            "metadata_hash": ZERO_BYTES32 if self.random.random() < 0.3 else self._hash(),
            "uri": self.random.choice(["", "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3", "https://example.org/ü\0\n"]),
            "salt": Bytes32(uint(self.salt)),
            "sources": self._sources(),
            "deadline": LATER,
        }
        return Registration(**(values | fields))

    def head_number(self) -> int:
        return int(self.chain.request("eth_blockNumber"), 16)

    def reorg(self, depth: int, *, keep: float = 0.7, longer: int = 1) -> None:
        """Remove the last blocks and make others instead.

        Args:
            depth: How many blocks.
            keep: What share of their transactions comes back, shuffled (a sender's own stay in order).
            longer: By how many blocks the new branch is longer.
        """
        head = self.head_number()
        numbers = range(head - depth + 1, head + 1)
        blocks = self.chain.batch([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
        hashes = [transaction for block in blocks for transaction in block["transactions"]]
        removed = self.chain.batch([("eth_getRawTransactionByHash", [transaction]) for transaction in hashes])
        self.chain.request("anvil_rollback", [depth])
        self.chain.request("anvil_dropAllTransactions")
        returning = [raw for raw in removed if self.random.random() < keep]
        queues: dict[str, list[str]] = {}
        for raw in returning:
            queues.setdefault(Account.recover_transaction(raw), []).append(raw)
        mixed = [sender for sender, raws in queues.items() for _ in raws]
        self.random.shuffle(mixed)
        for block in range(depth + longer):
            share = len(mixed) if block == depth + longer - 1 else self.random.randint(0, max(1, len(mixed) // 2))
            for sender in mixed[:share]:
                # One whose earlier transaction was left out cannot come back: its nonce is too high. It waits, and
                # the nonce is taken by another one later.
                self.chain.request("eth_sendRawTransaction", [queues[sender].pop(0)])
            mixed = mixed[share:]
            self.mine()
        self.chain.request("anvil_dropAllTransactions")

    def send_call(self, person: LocalAccount, to: Address | None, data: bytes) -> str:
        """Send a transaction; return it as it was sent. Without `to` it makes a contract."""
        nonce = int(self.chain.request("eth_getTransactionCount", [person.address, "pending"]), 16)
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": nonce,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 1,
            "gas": 5_000_000 if to is None else GAS,
            "value": 0,
            "data": data,
        }
        if to is not None:
            transaction["to"] = str(to)
        raw = "0x" + bytes(person.sign_transaction(transaction).raw_transaction).hex()
        self.chain.request("eth_sendRawTransaction", [raw])
        return raw

    def deploy(self, person: LocalAccount, code: bytes) -> Address:
        """Make a contract in a block of its own."""
        raw = self.send_call(person, None, code)
        self.mine()
        receipt = self.chain.request("eth_getTransactionReceipt", ["0x" + keccak256(bytes.fromhex(raw[2:])).hex()])
        return Address.parse(receipt["contractAddress"])

    def _deploy(self) -> Deployment:
        deployer, number = self.people[0], self.head_number()
        addresses: list[Address] = []
        for name in ("DatasetRegistry", "AccessGrants"):
            code = bytes.fromhex(json.loads((ARTIFACTS / f"{name}.json").read_text())["bytecode"][2:])
            addresses.append(self.deploy(deployer, code + b"".join(left_padded(address) for address in addresses)))
        genesis = self.chain.request("eth_getBlockByNumber", ["0x0", False])["hash"]
        places = dict(zip(("DatasetRegistry", "AccessGrants"), addresses, strict=True))
        return Deployment.of(self.chain_id, Bytes32.parse(genesis), places, number + 1)

    def _hash(self) -> Bytes32:
        return Bytes32(self.random.randbytes(32))

    def _sources(self) -> tuple[Source, ...]:
        chosen = self.random.sample(self.known, min(len(self.known), self.random.choice([0, 0, 1, 3])))
        return tuple(Source(dataset_id=one, version=1) for one in sorted(chosen))

    def _random_call(self) -> tuple[LocalAccount, Address, bytes]:
        person = self.random.choice(self.people)
        if len(self.known) < 3 or self.random.random() < 0.35:
            registration = self.registration(person)
            self.known = [*self.known, registration.dataset_id][-8:]
            return person, self.deployment.address_of("DatasetRegistry"), calldata(registration, b"")
        dataset_id = self.random.choice(self.known)
        other = self.random.choice(self.people[:2])
        head, owner, epoch, requests = self._state(dataset_id, person, self.address(other))
        action = self.random.choice(ACTIONS)
        if action == "withdraw" and self.random.random() < 0.7:
            return self._random_call()
        if action in ("approve", "erc721"):
            data = self._token_call(action, dataset_id, owner, other)
            return owner, self.deployment.address_of("DatasetRegistry"), data
        if action in ("revise", "transfer", "withdraw"):
            message = self._dataset_message(action, dataset_id, head, self.address(other))
        else:
            message = self._access_message(action, dataset_id, self.address(other), epoch, requests)
        sender = other if action == "request" else owner
        return sender, self.deployment.address_of(message.CONTRACT), calldata(message, b"")

    def _state(
        self, dataset_id: DatasetId, person: LocalAccount, grantee: Address
    ) -> tuple[Bytes32, LocalAccount, int, int]:
        """Ask what a message about a dataset names.

        Returns:
            The head; the owner, or the given person if there is no such dataset yet; the epoch of a grantee's access;
            and how many requests the grantee has sent.
        """
        registry = self.deployment.address_of("DatasetRegistry")
        head, owner, counters = self.chain.batch(
            [
                _view(registry, b"headOf(uint256)", dataset_id),
                _view(registry, b"ownerOf(uint256)", dataset_id),
                _view(self.deployment.address_of("AccessGrants"), b"countersOf(uint256,address)", dataset_id, grantee),
            ]
        )
        word = b"" if isinstance(owner, RpcError) else bytes.fromhex(owner[2:])
        holder = next((one for one in self.people if self.address(one) == word[12:]), person)
        words = bytes.fromhex(counters[2:])
        return Bytes32.parse(head), holder, int.from_bytes(words[:32], "big"), int.from_bytes(words[32:], "big")

    def _token_call(self, action: str, dataset_id: DatasetId, owner: LocalAccount, other: LocalAccount) -> bytes:
        """Return an approval or a transfer by ERC-721."""
        to = left_padded(self.address(other))
        if action == "approve":
            return keccak256(b"approve(address,uint256)")[:4] + to + dataset_id
        selector = keccak256(b"transferFrom(address,address,uint256)")[:4]
        return selector + left_padded(self.address(owner)) + to + dataset_id

    def _dataset_message(self, action: str, dataset_id: DatasetId, head: Bytes32, other: Address) -> Message:
        named: dict[str, Any] = {"dataset_id": dataset_id, "head": head, "deadline": LATER}
        if action == "transfer":
            return TitleTransfer(**named, to=other)
        if action == "withdraw":
            return Withdrawal(**named, reason="no longer \0 right")
        return Revision(**named, content_root=self._hash(), metadata_hash=self._hash(), uri="", sources=self._sources())

    def _access_message(
        self, action: str, dataset_id: DatasetId, grantee: Address, epoch: int, requests: int
    ) -> Message:
        named: dict[str, Any] = {"dataset_id": dataset_id, "grantee": grantee, "deadline": LATER}
        if action == "request":
            return AccessRequest(**named, rights=1, expires_at=LATER, purpose="study", requests=requests)
        if action == "revoke":
            return AccessRevocation(**named, epoch=epoch)
        return AccessGrant(
            **named,
            rights=self.random.randint(1, 255),
            starts_at=self.time + self.random.randint(-50, 50),
            expires_at=self.time + self.random.randint(60, 500),
            terms_hash=self._hash(),
            epoch=epoch,
        )


def _view(contract: Address, signature: bytes, *words: bytes) -> tuple[str, list[object]]:
    """Return the request that calls a function of a contract without a transaction."""
    data = keccak256(signature)[:4] + b"".join(map(left_padded, words))
    return "eth_call", [{"to": str(contract), "data": "0x" + data.hex()}, "latest"]


def busy(activity: Activity, indexer: Indexer) -> None:
    """Let people act in 25 blocks, and index them."""
    for _ in range(25):
        activity.act(6)
        activity.mine()
    indexer.catch_up()
