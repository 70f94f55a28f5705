"""The gateway exports evidence that verifies without it."""

from __future__ import annotations

import json

from registry.base.canonical import metadata_hash
from registry.base.primitives import Bytes32, keccak256
from registry.evidence.trust import PinnedBlocks, SignedCheckpoints
from registry.evidence.verify import blocks_to_vouch_for, verify
from registry.manifest import from_digests
from registry.rooms.access.messages import AccessGrant
from registry.rooms.protocols import PROTOCOLS
from tests.api.checkpoints import cosign_a_new_block
from tests.api.world import ANALYST, Gateway, grant
from tests.evidence.stories import NODE, WITNESSES

FILES = from_digests({name: Bytes32(keccak256(name.encode())) for name in ("a.csv", "企鹅.csv", "z/b.csv")})
METADATA = {"name": "Penguins 企鹅"}


def trusted(gateway: Gateway, bundle: bytes) -> PinnedBlocks:
    hashes = set()
    for height in blocks_to_vouch_for(bundle, PROTOCOLS):
        block = gateway.node.chain.request("eth_getBlockByNumber", [hex(height), False])
        hashes.add(Bytes32.parse(block["hash"]))
    return PinnedBlocks(hashes, gateway.deployment.chain_id)


def test_a_dataset_gives_a_bundle_with_what_was_deposited(gateway: Gateway) -> None:
    message = gateway.registration(content_root=FILES.root, metadata_hash=metadata_hash(METADATA))
    gateway.settle(message, metadata=METADATA, manifest=json.loads(FILES.to_json()))
    granted: AccessGrant = grant(message.dataset_id)
    gateway.settle(granted)
    path = f"/v1/datasets/{message.dataset_id}/evidence"
    answer = gateway.http.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].endswith('.tdr.json"')
    result = verify(answer.content, trusted(gateway, answer.content), PROTOCOLS)
    assert result.is_complete
    assert result.manifest == FILES
    assert result.metadata == METADATA
    assert [access.grantee for access in result.record.access] == [ANALYST.address]

    single = gateway.http.get(path, params={"file": ["企鹅.csv"], "grantee": [str(message.owner)]}).content
    result = verify(single, trusted(gateway, single), PROTOCOLS)
    assert [file.path for file in result.files] == ["企鹅.csv"]
    assert [access.rights for access in result.record.access] == [0]

    registered = gateway.http.get(f"/v1/datasets/{message.dataset_id}").json()["registeredAt"]
    earlier = gateway.http.get(path, params={"at": registered}).content
    assert verify(earlier, trusted(gateway, earlier), PROTOCOLS).record.access == ()


def test_a_former_version_of_which_nothing_can_be_shown_has_no_bundle_and_no_certificate(gateway: Gateway) -> None:
    """A bundle without content is about the latest version; returned for another, it would verify the wrong files."""
    dataset_id = gateway.register()
    gateway.settle(gateway.revision(dataset_id, gateway.head(dataset_id)))
    for kind in ("evidence", "certificate.pdf", "credential"):
        path = f"/v1/datasets/{dataset_id}/{kind}"
        assert gateway.http.get(path, params={"version": 1}).status_code == 404, kind
        assert gateway.http.get(path, params={"version": 2}).status_code == 200, kind


def test_what_cannot_be_shown_is_a_problem(gateway: Gateway) -> None:
    dataset_id = gateway.register()
    path = f"/v1/datasets/{dataset_id}/evidence"
    for params, status in (
        ({"file": "a.csv"}, 404),
        ({"version": "2"}, 404),
        ({"at": "1000"}, 404),
        ({"at": "yesterday"}, 422),
        ({"grantee": "0x12"}, 422),
        ({"files": "a.csv"}, 422),
    ):
        answer = gateway.http.get(path, params=params)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert gateway.http.get(f"/v1/datasets/0x{'00' * 32}/evidence").status_code == 404


def test_with_checkpoints_it_verifies_by_the_word_of_the_node_and_its_witnesses(gateway: Gateway) -> None:
    path = f"/v1/datasets/{gateway.register()}/evidence"
    assert gateway.http.get(path, params={"cosignatures": "2"}).status_code == 404
    assert gateway.http.get(path, params={"cosignatures": "2", "at": "2030-01-01T00:00:00Z"}).status_code == 422
    block_hash = cosign_a_new_block(gateway)
    bundle = gateway.http.get(path, params={"cosignatures": "2"}).content
    policy = SignedCheckpoints(NODE.verifier, [witness.verifier for witness in WITNESSES], 2)
    assert verify(bundle, policy, PROTOCOLS).record.block.hash == block_hash
