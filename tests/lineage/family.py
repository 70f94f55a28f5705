"""A family of datasets that tests walk, and a reader of it that works on a dictionary."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from registry.base.primitives import Address, Bytes32, DatasetId
from registry.lineage import Node
from registry.rooms.datasets.caip import Namer
from registry.rooms.datasets.messages import Source

ALICE = Address(bytes.fromhex("aa" * 20))
BOB = Address(bytes.fromhex("bb" * 20))
NAMER = Namer(1337, Address(bytes.fromhex("5e" * 20)))
BEGINNING = datetime(2026, 11, 23, 4, tzinfo=UTC)


def at(dataset: str, version: int = 1) -> Source:
    """A version of the dataset with a made-up name."""
    return Source(dataset_id=DatasetId(sha256(dataset.encode()).digest()), version=version)


class Family:
    """Versions, one block after the other, as the registry would have recorded them."""

    def __init__(self) -> None:
        self.versions: dict[Source, Node] = {}

    def add(self, version: Source, *sources: Source, name: str | None = None, claimant: Address = ALICE) -> Source:
        """Records a version."""
        number = len(self.versions)
        self.versions[version] = Node(
            version=version,
            content_root=Bytes32(sha256(str(version).encode()).digest()),
            name=name,
            claimant=claimant,
            owner=claimant,
            is_withdrawn=False,
            registered_at=BEGINNING + timedelta(minutes=number),
            block_number=number,
            sources=sources,
        )
        return version

    def withdraw(self, dataset_id: DatasetId) -> None:
        """Withdraws a dataset."""
        for version, node in self.versions.items():
            if version.dataset_id == dataset_id:
                self.versions[version] = node.model_copy(update={"is_withdrawn": True})

    def nodes(self, versions: Collection[Source]) -> Iterable[Node]:
        return [self.versions[version] for version in versions if version in self.versions]

    def dependents(self, versions: Collection[Source]) -> Iterable[Source]:
        wanted = set(versions)
        return [version for version, node in self.versions.items() if wanted & set(node.parents)]


def weather() -> Family:
    """Two measured datasets, one cleaned from both and revised once, and a model trained on the first cleaning."""
    family = Family()
    family.add(at("seattle"), name="西雅图气象观测")
    family.add(at("airports"), name="Airports", claimant=BOB)
    family.add(at("clean"), at("seattle"), at("airports"), name="Clean weather")
    family.add(at("clean", 2), at("seattle"), name="Clean weather")
    family.add(at("model"), at("clean"), name="预测模型", claimant=BOB)
    family.add(at("unrelated"))
    return family
