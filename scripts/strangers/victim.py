"""The owner whom strangers try to harm, and their datasets."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.base.canonical import metadata_hash
from registry.base.primitives import Bytes32
from registry.keys.signer import Signer
from registry.manifest import Entry, Manifest
from registry.rooms.datasets.messages import Registration
from registry.rooms.datasets.statements import Publication
from registry.sdk.client import Client
from registry.sdk.rooms.datasets.models import Published
from registry.sdk.signing import sign
from scripts.strangers.target import FAR_SECONDS, Target, account

HOURS = 3


@dataclass(frozen=True)
class _Victim:
    """The owner at work.

    Args:
        gateway: Where they register.
        owner: Their key.
        chance: Where what they register comes from.
        deadline: Of all that they sign, Unix seconds.
    """

    gateway: Client
    owner: Signer
    chance: random.Random
    deadline: int

    def register(
        self, manifest: Manifest, metadata: Mapping[str, Any], *, is_public: bool
    ) -> tuple[Registration, bytes]:
        """Register a dataset, with its documents if it is public; return the message and its signature."""
        message = Registration(
            owner=self.owner.address,
            content_root=manifest.root,
            metadata_hash=Bytes32(metadata_hash(metadata)),
            uri="",
            salt=Bytes32(self.chance.randbytes(32)),
            sources=(),
            deadline=self.deadline,
        )
        deployment = self.gateway.deployment()
        signed = sign(message, deployment, self.owner.sign)
        documents = None
        if is_public:
            statement = Publication(
                dataset_id=message.dataset_id,
                version=1,
                content_root=message.content_root,
                metadata_hash=message.metadata_hash,
                deadline=self.deadline,
            )
            documents = Published(sign(statement, deployment, self.owner.sign), metadata, manifest).members()
        self.gateway.wait(self.gateway.send(signed, documents))
        return message, signed.signature


def prepare(url: str, seed: int, files: int) -> Target:
    """Register the victim's datasets: a small one with unpublished documents, and a large published one.

    Args:
        url: The gateway's address.
        seed: The seed of the datasets.
        files: The number of files of the large dataset.
    """
    chance = random.Random(f"{seed} victim")
    with Client(url) as gateway:
        # The later of the two times: the chain's clock may be ahead of the real one, or temporarily behind.
        deadline = max(gateway.chain_time() or 0, int(time.time())) + HOURS * FAR_SECONDS
        victim = _Victim(gateway, account(f"{seed} victim"), chance, deadline)
        secret = {"name": f"kept back {chance.getrandbits(64):x}", "description": "known to the strangers"}
        small, signature = victim.register(_manifest(chance, 3), secret, is_public=False)
        many = _manifest(chance, files)
        large, _ = victim.register(many, {"name": "many files"}, is_public=True)
        deployment = gateway.deployment()
    return Target(
        url=url,
        chain_id=deployment.chain_id,
        contracts=deployment.addresses,
        small=small.dataset_id,
        large=large.dataset_id,
        large_path=many.entries[files // 2].path,
        large_root=many.root,
        registration=small,
        signature=f"0x{signature.hex()}",
        metadata=secret,
        deadline=deadline,
    )


def _manifest(chance: random.Random, files: int) -> Manifest:
    return Manifest(
        tuple(Entry(f"part-{number:07}.csv", Bytes32(chance.randbytes(32)), number, None) for number in range(files))
    )
