"""Bundles made on a real chain and verified without it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from registry.base.canonical import metadata_hash
from registry.base.errors import VerificationFailed
from registry.base.primitives import ZERO_BYTES32, Bytes32
from registry.evidence.limits import TRUTH
from registry.evidence.steps import StepFailed
from registry.evidence.texts import ABSENT, not_proven_text, step_text
from registry.evidence.trust import AgreeingNodes, NodeAnswer, PinnedBlocks, SignedCheckpoints
from registry.evidence.verify import Verified, blocks_to_vouch_for, verify
from registry.rooms.datasets.proof import versions_in, withdrawal_in
from registry.rooms.protocols import PROTOCOLS
from tests.evidence.stories import METADATA, NODE, WITNESSES, Story
from tests.evidence.world import World, address_of, manifest, word

ALL = (
    *("registered", "content", "single files", "granted", "nobody", "revoked", "withdrawn", "as of the grant"),
    *("apart", "checkpoints", "sent by the owner", "without state"),
)


def verified(story: Story) -> Verified:
    """Return what a story's bundle proves if all blocks that it needs are trusted."""
    chain_id = json.loads(story.bundle)["chainId"]
    return verify(
        story.bundle, PinnedBlocks(set(blocks_to_vouch_for(story.bundle, PROTOCOLS).values()), chain_id), PROTOCOLS
    )


def steps_of(result: Verified) -> dict[str, str]:
    """Return the text of each step by its title."""
    return {step.title: step_text(step, PROTOCOLS) for step in result.steps}


def limits_of(result: Verified) -> list[str]:
    """What is not proven, in sentences."""
    return [not_proven_text(item, PROTOCOLS) for item in result.not_proven]


@pytest.mark.parametrize("name", ALL)
def test_a_bundle_made_from_the_chain_verifies(stories: dict[str, Story], name: str) -> None:
    """R7: an issued bundle verifies offline."""
    result = verified(stories[name])
    assert result.is_complete == (name != "without state")
    assert result.record.block.hash == stories[name].until.hash


def test_all_stories_are_verified(stories: dict[str, Story]) -> None:
    assert set(ALL) == set(stories)


def test_a_bundle_tells_the_whole_history(stories: dict[str, Story], world: World) -> None:
    record = verified(stories["withdrawn"]).record
    assert [event.event for event in record.events] == [
        *("Registered", "Revised", "AccessRequested", "AccessGranted", "AccessGranted", "AccessRevoked"),
        *("Transferred", "Withdrawn"),
    ]
    assert record.dataset.owner == address_of(world.heir)
    assert record.dataset.withdrawn
    assert record.dataset.version == 2
    access = {entry.grantee: entry for entry in record.access}
    assert access[address_of(world.reader)].revoked
    assert not access[address_of(world.other)].revoked
    assert record.events[0].values["uri"] == "https://data.example.org/企鹅"


def test_the_versions_in_a_record_tell_who_owned_the_dataset_when_each_was_registered(
    stories: dict[str, Story], world: World
) -> None:
    record = verified(stories["withdrawn"]).record
    first, second = versions_in(record)
    assert first.content_root == manifest("penguins.csv", "readme/企鹅.txt", "z.bin", "a.csv", "b.csv").root
    assert second.content_root == manifest("penguins.csv", "more.csv").root
    assert (first.metadata_hash, second.metadata_hash) == (metadata_hash(METADATA), ZERO_BYTES32)
    dataset_id = json.loads(stories["withdrawn"].bundle)["datasetId"]
    assert [source.to_json() for source in second.sources] == [{"datasetId": dataset_id, "version": 1}]
    assert first.claimant == second.claimant == address_of(world.owner) != record.dataset.owner
    assert (first.block, second.block) == (record.events[0].block, record.events[1].block)
    assert (first.time, second.time) == (record.events[0].time, record.events[1].time)


def test_a_record_tells_of_a_withdrawal_and_why(stories: dict[str, Story]) -> None:
    withdrawal = withdrawal_in(verified(stories["withdrawn"]).record)
    assert withdrawal is not None
    assert withdrawal.reason == "superseded"
    assert withdrawal_in(verified(stories["granted"]).record) is None


def test_a_bundle_as_of_an_earlier_block_tells_what_was_so_then(stories: dict[str, Story], world: World) -> None:
    record = verified(stories["as of the grant"]).record
    assert record.dataset.owner == address_of(world.owner)
    assert not record.dataset.withdrawn
    assert not any(entry.revoked for entry in record.access)
    assert stories["as of the grant"].bundle == stories["granted"].bundle


def test_somebody_without_access_is_shown_to_have_none(stories: dict[str, Story], world: World) -> None:
    (access,) = verified(stories["nobody"]).record.access
    assert access.grantee == address_of(world.heir)
    assert (access.rights, access.epoch, access.requests) == (0, 0, 0)


def test_files_and_metadata_are_given_back(stories: dict[str, Story]) -> None:
    whole = verified(stories["content"])
    assert whole.manifest is not None
    assert whole.manifest.entry("z.bin").sha256 == word("z.bin")
    assert whole.metadata == METADATA
    single = verified(stories["single files"])
    assert single.manifest is None
    assert [file.path for file in single.files] == ["a.csv", "z.bin"]
    assert len(stories["single files"].bundle) < len(stories["content"].bundle)


def test_every_signature_of_a_relayed_message_is_shown(stories: dict[str, Story]) -> None:
    steps = steps_of(verified(stories["withdrawn"]))
    assert steps["signatures"] == "Events with the signature of their signer: 8 of 8."
    assert steps_of(verified(stories["sent by the owner"]))["signatures"] == ABSENT["en"]


def test_what_is_not_proven_is_named(stories: dict[str, Story]) -> None:
    result = verified(stories["registered"])
    assert TRUTH in result.not_proven
    lines = limits_of(result)
    assert any(line.startswith(f"Anything after block {stories['registered'].until.number} ") for line in lines)
    assert "Who has access." in lines
    assert "Which files have the content root." in lines


def test_without_the_state_completeness_is_named_as_not_proven(stories: dict[str, Story]) -> None:
    result = verified(stories["without state"])
    assert not result.is_complete
    assert sum("the bundle has no state" in line for line in limits_of(result)) == 2
    with pytest.raises(VerificationFailed, match="Nothing shows that this is chain"):
        verify(stories["without state"].bundle, PinnedBlocks({stories["without state"].until.hash}), PROTOCOLS)


def test_another_block_hash_is_refused(stories: dict[str, Story]) -> None:
    with pytest.raises(StepFailed, match="Step 3") as caught:
        verify(stories["registered"].bundle, PinnedBlocks({Bytes32(bytes(32))}), PROTOCOLS)
    assert caught.value.title == "trust"


def test_a_chain_of_another_id_is_refused(stories: dict[str, Story]) -> None:
    story = stories["registered"]
    with pytest.raises(VerificationFailed, match="not of chain 1"):
        verify(story.bundle, PinnedBlocks({story.until.hash}, chain_id=1), PROTOCOLS)


def test_blocks_that_lie_apart_need_a_hash_each(stories: dict[str, Story]) -> None:
    blocks = blocks_to_vouch_for(stories["apart"].bundle, PROTOCOLS)
    assert len(blocks) > 1
    with pytest.raises(VerificationFailed, match="not among those given"):
        verify(stories["apart"].bundle, PinnedBlocks({stories["apart"].until.hash}), PROTOCOLS)


def test_nodes_must_agree(stories: dict[str, Story], world: World) -> None:
    story = stories["apart"]
    blocks = blocks_to_vouch_for(story.bundle, PROTOCOLS)
    chain_id = world.deployment.chain_id
    honest = NodeAnswer("a", chain_id, {height: world.block(height).hash for height in blocks})
    assert verify(story.bundle, AgreeingNodes([honest, honest]), PROTOCOLS).is_complete
    first = min(blocks)
    for other in (
        NodeAnswer("b", chain_id, {**blocks, first: Bytes32(bytes(32))}),
        NodeAnswer("b", chain_id, {height: block for height, block in blocks.items() if height != first}),
        NodeAnswer("b", 1, blocks),
    ):
        with pytest.raises(VerificationFailed, match="Step 3"):
            verify(story.bundle, AgreeingNodes([honest, other]), PROTOCOLS)


def test_checkpoints_vouch_for_a_bundle(stories: dict[str, Story]) -> None:
    keys = [witness.verifier for witness in WITNESSES]
    result = verify(stories["checkpoints"].bundle, SignedCheckpoints(NODE.verifier, keys, 3), PROTOCOLS)
    assert "registry.example/node and 3 of 3 witnesses" in steps_of(result)["trust"]
    with pytest.raises(VerificationFailed, match="no checkpoint"):
        verify(stories["registered"].bundle, SignedCheckpoints(NODE.verifier, keys, 0), PROTOCOLS)


def test_verifying_loads_no_ethereum_library_and_no_network_library() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, registry.evidence.verify; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    heavy = {"web3", "eth_account", "eth_abi", "eth", "rlp", "trie", "httpx", "sqlalchemy", "fastapi", "rich", "typer"}
    assert not heavy & set(loaded)
    assert "ssl" not in loaded


def test_the_contracts_may_be_required_to_be_known_ones(stories: dict[str, Story], world: World) -> None:
    story, (registry, grants) = stories["granted"], world.deployment.addresses.values()
    trust = PinnedBlocks({story.until.hash})
    unknown = [line for line in limits_of(verify(story.bundle, trust, PROTOCOLS)) if "compare its address" in line]
    assert [str(registry) in unknown[0], str(grants) in unknown[1], len(unknown)] == [True, True, 2]
    known = verify(story.bundle, trust, PROTOCOLS, contracts=world.deployment.addresses)
    assert not any("compare its address" in line for line in limits_of(known))
    for wrong in ({"DatasetRegistry": grants}, {"AccessGrants": registry}):
        with pytest.raises(StepFailed, match="not of") as caught:
            verify(story.bundle, trust, PROTOCOLS, contracts=wrong)
        assert caught.value.number == 3
