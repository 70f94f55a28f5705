"""A small world on a real EVM: both contracts, a few people with keys, and the ways in which they act.

Typed data is signed by eth-account with the types of the committed vectors (which viem signed), so that neither the
contracts nor the registry's own code decides here what a right signature is.
"""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_tester import EthereumTester, PyEVMBackend  # type: ignore[import-untyped]
from eth_tester.exceptions import TransactionFailed  # type: ignore[import-untyped]
from eth_typing import Hash32
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3 import EthereumTesterProvider, Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.types import Nonce, TxReceipt, Wei

from .heads import dataset_id

ROOT = Path(__file__).parents[2]
VECTORS: list[dict[str, Any]] = json.loads((ROOT / "tests/vectors/eip712/vectors.json").read_text())
TYPES = {vector["primaryType"]: vector["types"] for vector in VECTORS}
ENTRY_POINTS = {
    "Registration": "register",
    "Revision": "revise",
    "TitleTransfer": "transfer",
    "Withdrawal": "withdraw",
    "AccessRequest": "requestAccess",
    "AccessGrant": "grant",
    "AccessRevocation": "revoke",
}
GAS = 5_000_000
ZERO = bytes(32)
ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"

Message = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """A Solidity error: its name and its values in order. No name: it reverted without data or ran out of gas."""

    name: str
    values: tuple[Any, ...] = ()


def artifact(name: str) -> dict[str, Any]:
    """A committed artifact."""
    parsed: dict[str, Any] = json.loads((ROOT / f"registry/artifacts/{name}.json").read_text())
    return parsed


@dataclass(frozen=True)
class View:
    """A view: its selector, and the types of its parameters and results."""

    selector: bytes
    inputs: list[str]
    outputs: list[str]


class World:
    """Both contracts on one chain. Every value that a message needs is fresh, and the same in every run."""

    def __init__(self) -> None:
        backend = PyEVMBackend()
        self.tester = EthereumTester(backend)
        self.w3 = Web3(EthereumTesterProvider(self.tester))
        self.chain_id = self.w3.eth.chain_id
        people: list[LocalAccount] = [Account.from_key(key.to_bytes()) for key in backend.account_keys]
        self.relayer, self.owner, self.other, self.third, self.stranger, self.operator = people[:6]
        # Without a sender, web3 asks for all accounts three times before every call that only reads.
        self.w3.eth.default_account = self.relayer.address
        self.registry = self.deploy(artifact("DatasetRegistry"))
        self.grants = self.deploy(artifact("AccessGrants"), self.registry.address)
        self._errors = {
            keccak(text=f"{entry['name']}({','.join(item['type'] for item in entry['inputs'])})")[:4]: entry
            for contract in (self.registry, self.grants)
            for entry in contract.abi
            if entry["type"] == "error"
        }
        self._views = {
            (contract.address, entry["name"]): View(
                keccak(text=f"{entry['name']}({','.join(item['type'] for item in entry['inputs'])})")[:4],
                [item["type"] for item in entry["inputs"]],
                [item["type"] for item in entry["outputs"]],
            )
            for contract in (self.registry, self.grants)
            for entry in contract.abi
            if entry["type"] == "function" and entry["stateMutability"] in ("view", "pure")
        }
        self._counter = itertools.count(1)

    def deploy(self, compiled: Mapping[str, Any], *arguments: Any) -> Contract:
        """Deploys an artifact, or solc's output for a contract."""
        bytecode = compiled["bytecode"] if "bytecode" in compiled else compiled["evm"]["bytecode"]["object"]
        factory = self.w3.eth.contract(abi=compiled["abi"], bytecode=bytecode)
        sent = factory.constructor(*arguments).transact({"from": self.relayer.address})
        return factory(self.w3.eth.get_transaction_receipt(sent)["contractAddress"])

    @property
    def now(self) -> int:
        """The time of the latest block, Unix seconds."""
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def travel(self, timestamp: int) -> None:
        """Sets the time of the next block, unless the clock has passed it already. It must be later than `now`."""
        # eth-tester gives the block in the making the clock's time, and refuses to go back from there.
        if timestamp > self.w3.eth.get_block("pending")["timestamp"]:
            self.tester.time_travel(timestamp)

    def word(self) -> bytes:
        """32 bytes that were not used before."""
        return keccak(text=f"word {next(self._counter)}")

    # Messages with plain values, any of which can be given instead.

    def registration(self, owner: str = "", **fields: Any) -> dict[str, Any]:
        return {
            "owner": owner or self.owner.address,
            "contentRoot": self.word(),
            "metadataHash": self.word(),
            "uri": "https://data.example.org/1",
            "salt": self.word(),
            "sources": [],
            "deadline": self.now + 1000,
        } | fields

    def revision(self, dataset: int, **fields: Any) -> dict[str, Any]:
        return {
            "datasetId": dataset,
            "head": self.head(dataset),
            "contentRoot": self.word(),
            "metadataHash": self.word(),
            "uri": "https://data.example.org/2",
            "sources": [],
            "deadline": self.now + 1000,
        } | fields

    def title_transfer(self, dataset: int, to: str = "", **fields: Any) -> dict[str, Any]:
        return {
            "datasetId": dataset,
            "head": self.head(dataset),
            "to": to or self.other.address,
            "deadline": self.now + 1000,
        } | fields

    def withdrawal(self, dataset: int, **fields: Any) -> dict[str, Any]:
        return {
            "datasetId": dataset,
            "head": self.head(dataset),
            "reason": "superseded",
            "deadline": self.now + 1000,
        } | fields

    def request(self, dataset: int, grantee: str = "", **fields: Any) -> dict[str, Any]:
        grantee = grantee or self.third.address
        return {
            "datasetId": dataset,
            "grantee": grantee,
            "rights": 1,
            "expiresAt": self.now + 5000,
            "purpose": "to see whether penguins grow",
            "requests": self.counters(dataset, grantee)[1],
            "deadline": self.now + 1000,
        } | fields

    def grant(self, dataset: int, grantee: str = "", **fields: Any) -> dict[str, Any]:
        grantee = grantee or self.third.address
        return {
            "datasetId": dataset,
            "grantee": grantee,
            "rights": 3,
            "startsAt": 0,
            "expiresAt": self.now + 5000,
            "termsHash": self.word(),
            "epoch": self.counters(dataset, grantee)[0],
            "deadline": self.now + 1000,
        } | fields

    def revocation(self, dataset: int, grantee: str = "", **fields: Any) -> dict[str, Any]:
        grantee = grantee or self.third.address
        return {
            "datasetId": dataset,
            "grantee": grantee,
            "epoch": self.counters(dataset, grantee)[0],
            "deadline": self.now + 1000,
        } | fields

    # Acting.

    def contract_of(self, kind: str) -> Contract:
        """The contract that takes this kind of message."""
        return self.grants if kind.startswith("Access") else self.registry

    def call(self, kind: str, message: Message, signature: bytes = b"", at: Contract | None = None) -> ContractFunction:
        """The call of the entry point, not yet sent."""
        return (at or self.contract_of(kind)).functions[ENTRY_POINTS[kind]](dict(message), signature)

    def sign(
        self, signer: LocalAccount, kind: str, message: Message, *, chain_id: int | None = None, contract: str = ""
    ) -> bytes:
        """The signer's EIP-712 signature (65 bytes), for this chain and contract or others."""
        digest = self.digest(kind, message, chain_id=chain_id, contract=contract)
        return bytes(signer.unsafe_sign_hash(Hash32(digest)).signature)

    def digest(self, kind: str, message: Message, *, chain_id: int | None = None, contract: str = "") -> bytes:
        """The EIP-712 digest as eth-account computes it."""
        domain = {
            "name": "AccessGrants" if kind.startswith("Access") else "DatasetRegistry",
            "version": "1",
            "chainId": self.chain_id if chain_id is None else chain_id,
            "verifyingContract": contract or self.contract_of(kind).address,
        }
        signable = encode_typed_data(domain, TYPES[kind], dict(message))
        return keccak(b"\x19" + signable.version + signable.header + signable.body)

    def send(self, call: ContractFunction, sender: LocalAccount) -> TxReceipt:
        """Sends a call that must succeed."""
        receipt = self._receipt(call, sender)
        assert receipt["status"] == 1, self.refusal(call, sender)
        return receipt

    def act(self, kind: str, message: Message, sender: LocalAccount | None = None) -> TxReceipt:
        """Send a message directly, by default as the owner."""
        return self.send(self.call(kind, message), sender or self.owner)

    def relay(self, kind: str, message: Message, signer: LocalAccount) -> TxReceipt:
        """Signs a message and lets the relayer send it."""
        return self.send(self.call(kind, message, self.sign(signer, kind, message)), self.relayer)

    def act_as(self, by: str, kind: str, message: Message) -> TxReceipt:
        """Acts for `self.owner`: as the ``owner``, as an ``operator`` of theirs, or by a relayed ``signature``."""
        match by:
            case "owner":
                return self.act(kind, message)
            case "operator":
                self.send(self.registry.functions.setApprovalForAll(self.operator.address, True), self.owner)
                return self.act(kind, message, self.operator)
            case "signature":
                return self.relay(kind, message, self.owner)
        raise ValueError(by)

    def refusal(self, call: ContractFunction, sender: LocalAccount) -> Refusal:
        """The error with which a call is refused. It is sent as well, and must leave no log.

        Raises:
            AssertionError: It is not refused.
        """
        data = self.revert_data(call, sender)
        if data is None:
            raise AssertionError(f"{call.fn_name} was not refused.")
        receipt = self._receipt(call, sender)
        assert receipt["status"] == 0
        assert receipt["logs"] == []
        return self._decoded(data)

    def revert_data(self, call: ContractFunction, sender: LocalAccount) -> bytes | None:
        """What the call would revert with (empty if it runs out of gas), or None if it would not."""
        built = call.build_transaction({"gas": GAS, "gasPrice": Wei(0), "nonce": Nonce(0), "chainId": self.chain_id})
        fields = {"from": sender.address, "to": built["to"], "data": built["data"], "gas": GAS}
        try:
            self.tester.call(fields)
        except TransactionFailed as error:
            # eth-tester gives revert data as the text of a bytes literal, and any other failure in words.
            reason = str(error)
            data: bytes = ast.literal_eval(reason) if reason.startswith(("b'", 'b"')) else b""
            return data
        return None

    def _receipt(self, call: ContractFunction, sender: LocalAccount) -> TxReceipt:
        return self.w3.eth.get_transaction_receipt(call.transact({"from": sender.address, "gas": GAS}))

    def _decoded(self, data: bytes) -> Refusal:
        if not data:
            return Refusal("")
        entry = self._errors[data[:4]]
        values = self.w3.codec.decode([item["type"] for item in entry["inputs"]], data[4:])
        checksummed = (
            Web3.to_checksum_address(value) if item["type"] == "address" else value
            for item, value in zip(entry["inputs"], values, strict=True)
        )
        return Refusal(entry["name"], tuple(checksummed))

    def register(self, owner: LocalAccount | None = None, **fields: Any) -> int:
        """Registers a dataset directly; returns its id."""
        owner = owner or self.owner
        message = self.registration(owner.address, **fields)
        self.act("Registration", message, owner)
        return dataset_id(message)

    # Looking.

    def read(self, contract: Contract, name: str, *arguments: Any) -> tuple[Any, ...]:
        """What a view returns. web3 would ask two more things of the chain before each call."""
        view = self._views[contract.address, name]
        data = f"0x{(view.selector + encode(view.inputs, arguments)).hex()}"
        fields = {"from": self.relayer.address, "to": contract.address, "data": data, "gas": GAS}
        return decode(view.outputs, HexBytes(self.tester.call(fields)))

    def head(self, dataset: int) -> bytes:
        (head,) = self.read(self.registry, "headOf", dataset)
        return bytes(head)

    def version(self, dataset: int) -> int:
        (version,) = self.read(self.registry, "versionOf", dataset)
        return int(version)

    def owner_of(self, dataset: int) -> str:
        (owner,) = self.read(self.registry, "ownerOf", dataset)
        return Web3.to_checksum_address(owner)

    def title(self, dataset: int) -> tuple[str, bytes]:
        """The owner and the head."""
        owner, head = self.read(self.registry, "titleOf", dataset)
        return Web3.to_checksum_address(owner), head

    def counters(self, dataset: int, grantee: str) -> tuple[int, int]:
        epoch, requests = self.read(self.grants, "countersOf", dataset, grantee)
        return epoch, requests

    def access(self, dataset: int, grantee: str, time: int) -> tuple[bool, int, int, int]:
        allowed, rights, starts_at, expires_at = self.read(self.grants, "accessOf", dataset, grantee, time)
        return allowed, rights, starts_at, expires_at
