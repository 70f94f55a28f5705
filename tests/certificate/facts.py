"""Facts to print and to sign."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.certificate.context import context_url
from registry.certificate.credential import issue
from registry.certificate.facts import Block, Facts, Permission
from registry.notes.note import KeyKind, SigningKey
from registry.rooms.datasets.messages import Source


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def address(text: str) -> Address:
    return Address(digest(text)[:20])


FACTS = Facts(
    chain_id=1337,
    registry=address("registry"),
    dataset_id=DatasetId(digest("dataset")),
    version=2,
    latest_version=2,
    name="西雅图气象观测数据集 (Seattle weather)",
    license="CC-BY-4.0",
    content_root=Bytes32(digest("content")),
    metadata_hash=Bytes32(digest("metadata")),
    files=12,
    size=3_456_789,
    sources=(Source(dataset_id=DatasetId(digest("source")), version=3),),
    claimant=address("alice"),
    owner=address("bob"),
    registered=Block(1234, 1_795_406_400),
    as_of=Block(2048, 1_795_409_999),
    as_of_hash=Bytes32(digest("block")),
    withdrawn_because=None,
    permissions=(Permission(address("carol"), ("read", "derive"), 1_800_000_000),),
    is_complete=True,
    trust=(f"--block-hash {Bytes32(digest('block'))}",),
)
BUNDLE = b'{"format":"tdr-evidence/1","padding":"' + b"0123456789abcdef" * 512 + b'"}'
URL = f"https://registry.example/verify#{FACTS.dataset_id}@2"
KEY = SigningKey("node.example", KeyKind.NOTE, bytes(range(32)))
NOW = 1_795_410_000


def issued(facts: Facts = FACTS, context: Any = None) -> dict[str, Any]:
    """A credential of the facts, signed by the key."""
    context = context or context_url("https://registry.example/")
    return issue(facts, BUNDLE, KEY.verifier.public, KEY.sign_bytes, context=context, now=NOW)
