"""Measure evidence: verifying proofs beside py-trie, a file of a large dataset, and the start of a verifier.

The proofs are those of a chain in memory: receipts of a block of 100 transactions, and an account with a storage slot
among many. Both verifiers get the nodes as bytes and give the value back. The large dataset has 1,000,000 files, one of
which is shown.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import rlp
from trie.hexary import HexaryTrie

from registry.base.primitives import Address, Bytes32, DatasetId, keccak256
from registry.devchain.embedded import EmbeddedChain
from registry.ethereum.rlp import encode, number
from registry.ethereum.state import account_at, slot_at
from registry.ethereum.trie import Nodes, Trie
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import verify
from registry.evidence_export.bundles import export_bundle
from registry.evidence_export.content import ContentSelection
from registry.manifest import Entry, Manifest
from registry.rooms.datasets.proof import head_slot
from registry.rooms.protocols import PROTOCOLS
from scripts.figures import Figure
from tests.chain.wallet import RELAYER
from tests.evidence.world import World

FILES = 1_000_000
ROUNDS = 7
SECONDS_A_ROUND = 0.2


def run() -> Iterator[Figure]:
    """Yield the figures."""
    yield from _receipt_proof()
    yield from _state_proof()
    yield from _large_dataset()
    yield from _start()


def _receipt_proof() -> Iterator[Figure]:
    receipts = {encode(number(index)): b"\x02" + keccak256(b"%d" % index) * 25 for index in range(100)}
    trie = Trie(receipts)
    key = encode(number(57))
    proof = trie.proof([key])
    root = bytes(trie.root)
    assert Nodes(proof).value(root, key) == receipts[key]
    ours = _microseconds(lambda: Nodes(proof).value(root, key))
    peers = _microseconds(lambda: _py_trie(root, key, proof))
    yield _beside_py_trie("a receipt among 100", ours, peers)


def _state_proof() -> Iterator[Figure]:
    address, dataset_id = Address(b"\x11" * 20), DatasetId(b"\x22" * 32)
    slot = head_slot(dataset_id)
    head = Bytes32(b"\x33" * 32)
    slots = {keccak256(keccak256(b"slot %d" % index)): encode(b"\x44" * 32) for index in range(10_000)}
    storage = Trie(slots | {keccak256(slot): encode(head)})
    account: bytes = encode([number(1), b"", bytes(storage.root), keccak256(b"code")])
    others = {
        keccak256(b"account %d" % index): encode([number(1), b"", b"\x55" * 32, b"\x66" * 32])
        for index in range(10_000)
    }
    state = Trie(others | {keccak256(address): account})
    nodes = (*state.proof([keccak256(address)]), *storage.proof([keccak256(slot)]))
    split = len(state.proof([keccak256(address)]))

    def ours() -> Bytes32:
        pool = Nodes(nodes)
        return slot_at(pool, account_at(pool, state.root, address).storage_root, slot)

    def peers() -> bytes:
        body = _py_trie(state.root, keccak256(address), nodes[:split])
        value: bytes = rlp.decode(_py_trie(rlp.decode(body)[2], keccak256(slot), nodes[split:]))
        return value

    assert ours() == peers() == head
    yield _beside_py_trie("an account and a slot among 10,000", _microseconds(ours), _microseconds(peers))


def _py_trie(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes:
    reference: Any = HexaryTrie  # it declares no types
    value: bytes = reference.get_from_proof(root, key, [rlp.decode(node) for node in proof])
    return value


def _beside_py_trie(what: str, ours: float, peers: float) -> Figure:
    ratio = peers / ours
    return Figure(f"evidence: proof of {what}", ours, "us", "py-trie", peers, ratio, ">= 5x", ratio >= 5)


def _large_dataset() -> Iterator[Figure]:
    manifest = Manifest(
        tuple(Entry(f"part-{index:07}.csv", Bytes32(keccak256(b"%d" % index)), index) for index in range(FILES))
    )
    world = World(EmbeddedChain.in_memory(RELAYER))
    dataset_id = world.register(manifest)
    until = world.latest()
    shown = ContentSelection(manifest, ["part-0471100.csv"])
    bundle = export_bundle(world.chain, world.deployment, dataset_id, until, shown=shown)
    trust = PinnedBlocks({until.hash})
    assert verify(bundle, trust, PROTOCOLS).files
    yield Figure(
        "evidence: bundle of one file of 1,000,000", len(bundle), "bytes", goal="<= 10240", met=len(bundle) <= 10_240
    )
    milliseconds = _microseconds(lambda: verify(bundle, trust, PROTOCOLS)) / 1000
    yield Figure("evidence: verifying that bundle", milliseconds, "ms", goal="<= 50 ms", met=milliseconds <= 50)


def _start() -> Iterator[Figure]:
    ours, web3 = (_import_milliseconds(name) for name in ("registry.evidence.verify", "web3"))
    ratio = ours / web3
    yield Figure(
        "evidence: importing the verifier", ours, "ms", "import web3", web3, 1 / ratio, "<= 0.2 of it", ratio <= 0.2
    )


def _import_milliseconds(module: str) -> float:
    command = [sys.executable, "-c", f"import {module}"]
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run(command, check=True)
        times.append(1000 * (time.perf_counter() - start))
    return min(times)


def _microseconds(action: Callable[[], object]) -> float:
    """Return the median time of an action over some rounds, in microseconds."""
    rounds = []
    for _ in range(ROUNDS):
        count = 0
        start = time.perf_counter()
        while (elapsed := time.perf_counter() - start) < SECONDS_A_ROUND:
            action()
            count += 1
        rounds.append(1e6 * elapsed / count)
    return statistics.median(rounds)
