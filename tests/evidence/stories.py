"""Bundles of datasets with a story, made on a real chain: what tests and vectors start from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.base.canonical import metadata_hash
from registry.base.primitives import DatasetId
from registry.chain.calls import calldata
from registry.chain.client import SERVER_ERROR, Chain, RpcError
from registry.chain.history import BlockRef
from registry.evidence_export.bundles import SignedBlocks, export_bundle
from registry.evidence_export.content import ContentSelection
from registry.manifest import Manifest
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, SigningKey
from registry.rooms.datasets.messages import Registration, Source
from tests.evidence.world import FAR, World, address_of, manifest, word

METADATA = {"name": "Penguins 企鹅", "license": "CC0-1.0", "rows": 344, "mass_kg": 4.2}
NODE = SigningKey("registry.example/node", KeyKind.NOTE, b"\x01" * 32)
WITNESSES = tuple(
    SigningKey(f"witness.example/{index}", KeyKind.COSIGNATURE, bytes([index]) * 32) for index in (2, 3, 4)
)
TIME = 1795000000


@dataclass(frozen=True)
class Story:
    """A bundle, and the blocks whose hashes it needs vouched for.

    Args:
        bundle: The bundle.
        until: The block that it is as of.
    """

    bundle: bytes
    until: BlockRef


class ForgetfulNode:
    """A node without the state of past blocks, like most nodes: it refuses proofs of it.

    Args:
        chain: The chain behind it.
        refused: The methods that it refuses.
    """

    def __init__(self, chain: Chain, refused: Collection[str] = ("eth_getProof",)) -> None:
        self._chain = chain
        self._refused = refused

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        if method in self._refused:
            raise RpcError(SERVER_ERROR, "missing trie node")
        return self._chain.request(method, params)

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
        if any(method in self._refused for method, _ in calls):
            return [RpcError(SERVER_ERROR, "missing trie node")] * len(calls)
        return self._chain.batch(calls)

    def close(self) -> None:
        self._chain.close()


def noted(world: World, *heights: int) -> SignedBlocks:
    """Checkpoints of some blocks, signed by the node and all witnesses."""
    notes = []
    for height in heights:
        block = world.block(height)
        note: Note = Checkpoint(world.deployment.chain_id, height, block.hash).note()
        for key in (NODE, *WITNESSES):
            note = key.sign(note, TIME)
        notes.append(note)
    return SignedBlocks(notes, [NODE.verifier, *(witness.verifier for witness in WITNESSES)])


def tell(world: World) -> dict[str, Story]:
    """All stories, by name."""
    stories: dict[str, Story] = {}

    def export(name: str, dataset_id: DatasetId, until: BlockRef | None = None, **options: Any) -> None:
        at = until or world.latest()
        stories[name] = Story(export_bundle(world.chain, world.deployment, dataset_id, at, **options), at)

    files, penguins = _tell_of_penguins(world, export)
    until = world.latest()
    without = export_bundle(ForgetfulNode(world.chain), world.deployment, penguins, until)
    stories["without state"] = Story(without, until)
    private = Manifest.of(files.salted(lambda count: word("salt of a file")[:count]).entries)
    sent = Registration(
        owner=world.relayer_address,
        content_root=private.root,
        metadata_hash=word("nothing"),
        uri="",
        salt=word("private"),
        sources=(Source(dataset_id=penguins, version=1), Source(dataset_id=penguins, version=2)),
        deadline=FAR,
    )
    world.send(world.deployment.address_of("DatasetRegistry"), calldata(sent, b""))
    export("sent by the owner", sent.dataset_id, shown=ContentSelection(private, ["penguins.csv"]))
    return stories


def _tell_of_penguins(world: World, export: Callable[..., None]) -> tuple[Manifest, DatasetId]:
    """Apply every kind of change to a dataset, and export bundles in between."""
    files = manifest("penguins.csv", "readme/企鹅.txt", "z.bin", "a.csv", "b.csv")
    penguins = world.register(files, metadata_hash(METADATA))
    registered = world.latest()
    export("registered", penguins)
    export("content", penguins, shown=ContentSelection(files, (), METADATA))
    export("single files", penguins, shown=ContentSelection(files, ["z.bin", "a.csv"], METADATA))
    world.blocks(3)
    world.revise(penguins, manifest("penguins.csv", "more.csv"))
    world.request(penguins)
    world.grant(penguins, world.reader)
    world.grant(penguins, world.other, rights=255)
    granted = world.latest()
    export("granted", penguins)
    export("nobody", penguins, grantees=[address_of(world.heir)])
    world.revoke(penguins, world.reader)
    export("revoked", penguins, grantees=[address_of(world.reader)])
    world.transfer(penguins, world.heir)
    world.withdraw(penguins, world.heir)
    withdrawn = world.latest()
    export("withdrawn", penguins, shown=ContentSelection(files, ["a.csv"], None, 1))
    export("as of the grant", penguins, granted)
    export("apart", penguins, withdrawn, grantees=[], largest_gap=1)
    signed = noted(world, registered.number + 2, withdrawn.number)
    export("checkpoints", penguins, withdrawn, grantees=[], checkpoints=signed)
    return files, penguins


VECTORS = Path(__file__).parents[1] / "vectors/evidence"
