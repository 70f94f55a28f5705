"""Checkpoints of a gateway's chain that the tests' own node and witnesses have signed."""

from __future__ import annotations

from registry.base.primitives import Bytes32
from registry.chain.history import block_at
from registry.checkpoints.store import CheckpointStore
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import Note
from tests.api.world import Gateway
from tests.evidence.stories import NODE, TIME, WITNESSES
from tests.fixtures.waiting import eventually


def cosign_a_new_block(gateway: Gateway) -> Bytes32:
    """Make a block, store a checkpoint of it signed by all, and return its hash once it is indexed."""
    store = CheckpointStore(gateway.node.storage)
    eventually(store.newest)  # The gateway's own, the only one: this one is for a block after it.
    gateway.node.chain.request("evm_mine")
    block = block_at(gateway.node.chain)
    eventually(lambda: gateway.http.get("/v1/datasets", params={"min_block": block.number}).is_success)
    note = Checkpoint(gateway.deployment.chain_id, block.number, block.hash).note()
    for key in (NODE, *WITNESSES):
        note = key.sign(note, TIME)
    store.remember_keys([NODE.verifier, *(witness.verifier for witness in WITNESSES)])
    store.add(Note(note.text, note.signatures[:1]), TIME)
    store.add_cosignatures(block.number, note.signatures[1:])
    return block.hash
