"""Both contracts on a chain, and a few people who sign; messages are signed by eth-account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from registry.base.primitives import ZERO_BYTES32, Address, Bytes32, DatasetId, keccak256
from registry.chain.calls import calldata
from registry.chain.client import Chain, identity_of
from registry.chain.history import BlockRef, block_at
from registry.ethereum.abi import left_padded
from registry.ethereum.eip712 import Domain, Message
from registry.manifest import Manifest, from_digests
from registry.rooms.access.messages import AccessGrant, AccessRequest, AccessRevocation
from registry.rooms.datasets.head import Head
from registry.rooms.datasets.messages import Registration, Revision, Source, TitleTransfer, Withdrawal
from registry.rooms.deployment import Deployment
from tests.chain.wallet import Wallet

ROOT = Path(__file__).parents[2]
FAR = 2**40


def word(text: str) -> Bytes32:
    """Return 32 bytes derived from a text."""
    return Bytes32(keccak256(text.encode()))


def person(name: str) -> LocalAccount:
    """Return an account whose key is derived from the name."""
    account: LocalAccount = Account.from_key(keccak256(name.encode()))
    return account


def address_of(account: LocalAccount) -> Address:
    return Address.parse(account.address)


class World:
    """A chain with both contracts. The relayer sends what the people sign."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.relayer = Wallet(chain)
        self.owner, self.heir, self.reader, self.other = (person(name) for name in ("owner", "heir", "reader", "other"))
        registry = self._deploy("DatasetRegistry", b"")
        grants = self._deploy("AccessGrants", left_padded(registry))
        identity = identity_of(chain)
        self.deployment = Deployment.of(
            identity.chain_id, identity.genesis_hash, {"DatasetRegistry": registry, "AccessGrants": grants}, 0
        )

    def head(self, dataset_id: DatasetId) -> Head:
        slot = self.chain.request(
            "eth_call",
            [
                {
                    "to": str(self.deployment.address_of("DatasetRegistry")),
                    "data": f"0x{keccak256(b'headOf(uint256)')[:4].hex()}{dataset_id.hex()}",
                },
                "latest",
            ],
        )
        return Head.parse(slot)

    @property
    def relayer_address(self) -> Address:
        return Address.parse(self.relayer.account.address)

    def latest(self) -> BlockRef:
        return block_at(self.chain)

    def block(self, height: int) -> BlockRef:
        return block_at(self.chain, hex(height))

    def sign(self, message: Message, signer: LocalAccount) -> bytes:
        typed = message.typed_data(self._domain(message))
        return bytes(signer.sign_message(encode_typed_data(full_message=typed)).signature)

    def relay(self, message: Message, signer: LocalAccount) -> None:
        """Sends a message with its signer's signature."""
        self.send(self._domain(message).contract, calldata(message, self.sign(message, signer)))

    def send(self, to: Address, data: bytes, wallet: Wallet | None = None) -> None:
        wallet = wallet or self.relayer
        sent = wallet.send(to=str(to), data=f"0x{data.hex()}", gas=2_000_000)
        receipt = wallet.receipt(sent)
        assert receipt["status"] == "0x1", receipt

    def register(self, manifest: Manifest, metadata_hash: Bytes32 = ZERO_BYTES32, **fields: Any) -> DatasetId:
        message = Registration.parse(
            {
                "owner": address_of(self.owner),
                "contentRoot": manifest.root,
                "metadataHash": metadata_hash,
                "uri": "https://data.example.org/企鹅",
                "salt": word("salt"),
                "sources": (),
                "deadline": FAR,
            }
            | fields
        )
        self.relay(message, self.owner)
        return message.dataset_id

    def revise(self, dataset_id: DatasetId, manifest: Manifest, signer: LocalAccount | None = None) -> None:
        message = Revision.parse(
            {
                "datasetId": dataset_id,
                "head": self.head(dataset_id),
                "contentRoot": manifest.root,
                "metadataHash": ZERO_BYTES32,
                "uri": "",
                "sources": (Source(dataset_id=dataset_id, version=1),),
                "deadline": FAR,
            }
        )
        self.relay(message, signer or self.owner)

    def transfer(self, dataset_id: DatasetId, to: LocalAccount, signer: LocalAccount | None = None) -> None:
        message = TitleTransfer(dataset_id=dataset_id, head=self.head(dataset_id), to=address_of(to), deadline=FAR)
        self.relay(message, signer or self.owner)

    def withdraw(self, dataset_id: DatasetId, signer: LocalAccount | None = None) -> None:
        message = Withdrawal(dataset_id=dataset_id, head=self.head(dataset_id), reason="superseded", deadline=FAR)
        self.relay(message, signer or self.owner)

    def request(self, dataset_id: DatasetId, requests: int = 0, by: LocalAccount | None = None) -> None:
        by = by or self.reader
        message = AccessRequest(
            dataset_id=dataset_id,
            grantee=address_of(by),
            rights=1,
            expires_at=FAR,
            purpose="to see whether penguins grow",
            requests=requests,
            deadline=FAR,
        )
        self.relay(message, by)

    def grant(
        self,
        dataset_id: DatasetId,
        grantee: LocalAccount,
        epoch: int = 0,
        rights: int = 3,
        *,
        starts_at: int = 0,
        expires_at: int = FAR,
    ) -> None:
        message = AccessGrant(
            dataset_id=dataset_id,
            grantee=address_of(grantee),
            rights=rights,
            starts_at=starts_at,
            expires_at=expires_at,
            terms_hash=word("terms"),
            epoch=epoch,
            deadline=FAR,
        )
        self.relay(message, self.owner)

    def revoke(self, dataset_id: DatasetId, grantee: LocalAccount, epoch: int = 1) -> None:
        message = AccessRevocation(dataset_id=dataset_id, grantee=address_of(grantee), epoch=epoch, deadline=FAR)
        self.relay(message, self.owner)

    def blocks(self, count: int) -> None:
        """Make some blocks without events of ours."""
        for _ in range(count):
            self.relayer.receipt(self.relayer.send())

    def _domain(self, message: Message) -> Domain:
        where = {
            "DatasetRegistry": self.deployment.address_of("DatasetRegistry"),
            "AccessGrants": self.deployment.address_of("AccessGrants"),
        }
        return Domain(message.CONTRACT, self.deployment.chain_id, where[message.CONTRACT])

    def _deploy(self, name: str, arguments: bytes) -> Address:
        artifact = json.loads((ROOT / f"registry/artifacts/{name}.json").read_bytes())
        sent = self.relayer.send(to=None, data=artifact["bytecode"] + arguments.hex(), gas=6_000_000)
        return Address.parse(self.relayer.receipt(sent)["contractAddress"])


def manifest(*names: str) -> Manifest:
    """A manifest of files whose content is their name."""
    return from_digests({name: word(name) for name in names})
