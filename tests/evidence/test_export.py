"""Export from two kinds of chains: the data is authentic, and missing data is detected."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import rlp
from trie import HexaryTrie

from registry.base.errors import InvalidInput, NotFound, Unavailable
from registry.base.primitives import DatasetId, keccak256
from registry.chain.calls import calldata
from registry.chain.client import Chain, RpcError
from registry.chain.rpc import RpcChain
from registry.devchain.embedded import EmbeddedChain
from registry.ethereum.header import Header, encode_header
from registry.ethereum.logs import Log
from registry.ethereum.receipts import decode_receipt, encode_receipt, receipts_trie
from registry.ethereum.state import account_at, slot_at
from registry.ethereum.trie import Nodes
from registry.evidence.code import templates
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import verify
from registry.evidence_export.blocks import block_as_of
from registry.evidence_export.bundles import _spans, export_bundle
from registry.evidence_export.content import ContentSelection
from registry.evidence_export.messages import read_call
from registry.manifest import from_digests
from registry.rooms.access.proof import GRANTS_SLOT
from registry.rooms.datasets.messages import Withdrawal
from registry.rooms.datasets.proof import HEADS_SLOT, head_slot
from registry.rooms.protocols import PROTOCOLS
from tests.chain.wallet import RELAYER
from tests.evidence.stories import tell
from tests.evidence.world import FAR, ROOT, World, manifest, word
from tests.fixtures.chains import StartAnvil


@pytest.fixture(scope="module", params=["embedded", "anvil"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world on each kind of chain."""
    if request.param == "embedded":
        yield World(EmbeddedChain.in_memory(RELAYER))
    else:
        start: StartAnvil = request.getfixturevalue("start_anvil")
        chain = RpcChain([start("--chain-id", "31337")[1]])
        yield World(chain)
        chain.close()


def test_every_story_can_be_shown_from_every_kind_of_chain(fresh: World) -> None:
    for story in tell(fresh).values():
        document = json.loads(story.bundle)
        ends = {Header.decode(bytes.fromhex(run[-1][2:])).hash for run in document["headers"]}
        verify(story.bundle, PinnedBlocks(ends, fresh.deployment.chain_id), PROTOCOLS)


def test_headers_receipts_and_state_are_those_of_the_chain(fresh: World) -> None:
    dataset_id = fresh.register(manifest("proofs"))
    number = fresh.latest().number
    block = fresh.chain.request("eth_getBlockByNumber", [hex(number), False])
    header = Header.decode(encode_header(block))
    assert str(header.hash) == block["hash"]
    receipts = fresh.chain.request("eth_getBlockReceipts", [hex(number)])
    assert receipts_trie(receipts).root == header.receipts_root
    assert decode_receipt(encode_receipt(receipts[0])).logs == tuple(Log.from_rpc(log) for log in receipts[0]["logs"])
    slot = head_slot(dataset_id)
    proof = fresh.chain.request(
        "eth_getProof", [str(fresh.deployment.address_of("DatasetRegistry")), [str(slot)], hex(number)]
    )
    raw = [bytes.fromhex(node[2:]) for node in proof["accountProof"] + proof["storageProof"][0]["proof"]]
    nodes = Nodes(dict.fromkeys(raw))
    account = account_at(nodes, header.state_root, fresh.deployment.address_of("DatasetRegistry"))
    assert slot_at(nodes, account.storage_root, slot) == fresh.head(dataset_id)
    slot_nodes = [rlp.decode(bytes.fromhex(node[2:])) for node in proof["storageProof"][0]["proof"]]
    reference = HexaryTrie.get_from_proof(account.storage_root, keccak256(slot), slot_nodes)
    assert rlp.decode(reference) == fresh.head(dataset_id)


@pytest.mark.parametrize("template", templates(), ids=lambda template: f"{template.contract} {template.release}")
def test_the_code_known_of_a_release_is_what_is_deployed(fresh: World, template: Any) -> None:
    where = fresh.deployment.addresses
    address = where[template.contract]
    code = fresh.chain.request("eth_getCode", [str(address), "latest"])
    contract = PROTOCOLS.contracts[template.contract]
    deployed = template.deployed(contract, fresh.deployment.chain_id, where)
    assert f"0x{deployed.hex()}" == code


def test_slots_are_where_the_compiler_put_them() -> None:
    for contract, variable, slot in (
        ("DatasetRegistry", "_heads", HEADS_SLOT),
        ("AccessGrants", "_pairs", GRANTS_SLOT),
    ):
        artifact = json.loads((ROOT / f"registry/artifacts/{contract}.json").read_bytes())
        assert artifact["storage"][variable] == slot


def test_the_latest_release_is_the_artifacts() -> None:
    for template in templates()[-len(PROTOCOLS.contracts) :]:
        artifact = json.loads((ROOT / f"registry/artifacts/{template.contract}.json").read_bytes())
        assert artifact["deployedBytecode"] == f"0x{template.code.hex()}"


class LyingNode:
    """A node that changes some answers of a good one."""

    def __init__(self, chain: Chain, lies: dict[str, Any]) -> None:
        self._chain = chain
        self._lies = lies

    def request(self, method: str, params: Sequence[object] = ()) -> Any:
        answer = self._chain.request(method, params)
        return self._lies[method](answer) if method in self._lies else answer

    def batch(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any | RpcError]:
        return [self.request(method, params) for method, params in calls]

    def close(self) -> None:
        self._chain.close()


def test_a_node_that_withholds_an_event_is_found_out(world: World) -> None:
    dataset_id = world.register(manifest("withheld"))
    world.withdraw(dataset_id)
    node = LyingNode(world.chain, {"eth_getLogs": lambda logs: [log for log in logs if len(log["topics"]) != 2]})
    with pytest.raises(Unavailable, match=r"does not verify: Step 7"):
        export_bundle(node, world.deployment, dataset_id, world.latest())


def test_a_node_that_gives_other_receipts_or_headers_is_found_out(world: World) -> None:
    dataset_id = world.register(manifest("other receipts"))
    until = world.latest()
    node = LyingNode(world.chain, {"eth_getBlockReceipts": lambda receipts: [*receipts, receipts[0]]})
    with pytest.raises(Unavailable, match="not those of the block"):
        export_bundle(node, world.deployment, dataset_id, until)
    node = LyingNode(world.chain, {"eth_getBlockByNumber": lambda block: block | {"gasUsed": "0x1"}})
    with pytest.raises(InvalidInput, match="does not hash"):
        export_bundle(node, world.deployment, dataset_id, until)


def test_what_is_not_there_cannot_be_shown(world: World) -> None:
    before = world.latest()
    dataset_id = world.register(manifest("a", "b"))
    with pytest.raises(NotFound, match="no dataset"):
        export_bundle(world.chain, world.deployment, DatasetId(word("nothing")), world.latest())
    with pytest.raises(NotFound, match="no dataset"):
        export_bundle(world.chain, world.deployment, dataset_id, before)
    with pytest.raises(NotFound, match="lists no file"):
        export_bundle(
            world.chain, world.deployment, dataset_id, world.latest(), shown=ContentSelection(manifest("a", "b"), ["c"])
        )


def test_content_of_another_version_is_refused(world: World) -> None:
    dataset_id = world.register(manifest("one"))
    with pytest.raises(InvalidInput, match="root"):
        export_bundle(
            world.chain, world.deployment, dataset_id, world.latest(), shown=ContentSelection(manifest("two"))
        )


def test_bundles_of_one_state_are_equal(world: World) -> None:
    dataset_id = world.register(manifest("equal"))
    until = world.latest()
    first = export_bundle(world.chain, world.deployment, dataset_id, until)
    world.blocks(2)
    assert export_bundle(world.chain, world.deployment, dataset_id, until) == first


@pytest.mark.parametrize("data", [b"", b"\0" * 4, b"\0" * 36])
def test_the_input_of_another_call_holds_no_message(data: bytes) -> None:
    assert read_call(data, PROTOCOLS) is None


def test_a_message_is_read_back_from_its_call() -> None:
    message = Withdrawal(dataset_id=DatasetId(word("id")), head=word("head"), reason="更新" * 40, deadline=FAR)
    call = calldata(message, b"\1" * 65)
    assert read_call(call, PROTOCOLS) == (message, b"\1" * 65)
    assert read_call(calldata(message, b""), PROTOCOLS) is None
    assert read_call(call + bytes(32), PROTOCOLS) is None
    assert read_call(call[:-32], PROTOCOLS) is None
    assert read_call(call[:4] + b"\xff" * (len(call) - 4), PROTOCOLS) is None


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33])
def test_each_file_of_a_dataset_can_be_shown_alone(world: World, size: int) -> None:
    """C10: the path of each leaf leads to the root."""
    files = from_digests({f"{index}.csv": word(str(index)) for index in range(size)})
    dataset_id = world.register(files, salt=word(f"alone {size}"))
    paths = [entry.path for entry in files.entries]
    bundle = export_bundle(
        world.chain, world.deployment, dataset_id, world.latest(), shown=ContentSelection(files, paths)
    )
    result = verify(bundle, PinnedBlocks({world.latest().hash}), PROTOCOLS)
    assert [entry.path for entry in result.files] == paths


def test_the_block_as_of_a_time_is_the_latest_not_after_it(world: World) -> None:
    world.blocks(3)
    latest = world.latest()
    blocks = [world.block(number) for number in range(latest.number + 1)]
    for block in blocks:
        assert block_as_of(world.chain, block.timestamp) == block
    assert block_as_of(world.chain, None) == block_as_of(world.chain, FAR) == latest
    assert block_as_of(world.chain, blocks[5].timestamp - 1).timestamp < blocks[5].timestamp
    with pytest.raises(NotFound, match="begins"):
        block_as_of(world.chain, blocks[0].timestamp - 1)


@pytest.mark.parametrize(
    ("heights", "checkpoints", "gap", "spans"),
    [
        ([5], [], 256, [(5, 5)]),
        ([5, 7, 300], [], 256, [(5, 7), (300, 300)]),
        ([5, 7, 260], [], 256, [(5, 260)]),
        ([5, 7], [], 1, [(5, 5), (7, 7)]),
        ([5, 6, 9], [7, 9], 256, [(5, 7), (9, 9)]),
        ([5, 8, 9], [7, 9], 256, [(5, 9)]),
        ([5, 9], [9], 1, [(5, 9)]),
        ([5, 9000], [9000], 1, [(5, 5), (9000, 9000)]),
        ([5, 9], [4], 1, [(5, 5), (9, 9)]),
    ],
)
def test_blocks_are_joined_by_headers_where_they_are_near(
    heights: list[int], checkpoints: list[int], gap: int, spans: list[tuple[int, int]]
) -> None:
    assert _spans(heights, checkpoints, gap) == [list(range(first, last + 1)) for first, last in spans]
