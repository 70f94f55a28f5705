"""Only documents published by the owner are shown; owners and operators can retract them; proofs are unaffected.

The strangers of these tests know everything that is public: messages and signatures are in the chain's transactions.
"""

from __future__ import annotations

from typing import Any

import pytest

from registry.base.canonical import metadata_hash
from registry.base.errors import Conflict
from registry.base.primitives import ZERO_BYTES32, Bytes32, DatasetId, keccak256
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import blocks_to_vouch_for, verify
from registry.rooms.datasets.publications import records_of, withhold
from registry.rooms.protocols import PROTOCOLS
from tests.api.studies import EVERY_WAY, Study, by_hash, indexed, publish, retract, shown
from tests.api.world import (
    FAR,
    STRANGER,
    Gateway,
    transfer,
)


def test_documents_that_the_owner_publishes_are_shown_by_every_way(gateway: Gateway) -> None:
    study = Study(gateway)
    gateway.settle(study.message, **study.documents)
    assert shown(gateway, study) == EVERY_WAY
    assert by_hash(gateway, study) == [200, 200]


def test_a_stranger_without_a_key_publishes_nothing(gateway: Gateway, study: Study) -> None:
    """The message is public and may have any deadline, but the signature is invalid."""
    for deadline in (1, FAR, FAR - 1):
        message = study.message.to_json() | {"deadline": deadline}
        body = {"message": message, "signature": "0x" + "00" * 65, **study.documents}
        assert gateway.http.post("/v1/datasets", json=body).status_code == 422
        statement = {"message": study.publication(deadline=FAR).to_json(), "signature": "0x" + "00" * 65}
        assert gateway.http.post("/v1/datasets", json=body | {"publication": statement}).status_code in (403, 422)
    assert shown(gateway, study) == set()
    assert by_hash(gateway, study) == [404, 404]


def test_the_public_message_with_its_own_signature_publishes_nothing(gateway: Gateway, study: Study) -> None:
    """The signature of a registration does not cover documents, and a stranger's statement is not the owner's."""
    body = gateway.body(study.message) | study.documents
    answer = gateway.http.post("/v1/datasets", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.metadata")
    body["publication"] = gateway.body(study.publication(), STRANGER)
    answer = gateway.http.post("/v1/datasets", json=body)
    assert (answer.status_code, answer.json()["error"]) == (403, "SignatureNotBySigner")
    body["publication"] = {"message": study.publication().to_json(), "signature": gateway.signature(study.message)}
    assert gateway.http.post("/v1/datasets", json=body).status_code == 403
    assert publish(gateway, study, study.publication(), STRANGER).status_code == 403
    assert shown(gateway, study) == set()
    assert by_hash(gateway, study) == [404, 404]


def test_a_strangers_dataset_with_the_same_hashes_shows_nothing_of_the_victims(gateway: Gateway, study: Study) -> None:
    """Publications are per (dataset, version, document): another dataset's publication does not count here."""
    copied = gateway.registration(
        owner=STRANGER.address,
        content_root=study.message.content_root,
        metadata_hash=study.message.metadata_hash,
        salt=Bytes32(keccak256(study.word.encode())),
    )
    gateway.settle(copied, STRANGER, **study.documents)
    assert shown(gateway, study) == set()
    assert gateway.http.get(f"/v1/datasets/{copied.dataset_id}").json()["name"] == study.metadata["name"]


def test_an_owner_takes_documents_back_and_only_a_new_statement_shows_them_again(
    gateway: Gateway, study: Study
) -> None:
    assert publish(gateway, study, study.publication()).status_code == 200
    indexed(gateway)
    assert shown(gateway, study) == EVERY_WAY
    bundle = gateway.http.get(f"/v1/datasets/{study.dataset_id}/evidence").content

    assert retract(gateway, study, study.retraction(), STRANGER).status_code == 403
    assert retract(gateway, study, study.retraction()).status_code == 200
    indexed(gateway)
    assert shown(gateway, study) == set()
    assert by_hash(gateway, study) == [404, 404]

    # The statements are public by now; each counts once.
    assert publish(gateway, study, study.publication()).status_code == 409
    assert publish(gateway, study, study.publication(deadline=FAR - 1)).status_code == 200
    assert retract(gateway, study, study.retraction()).status_code == 409
    indexed(gateway)
    assert shown(gateway, study) == EVERY_WAY

    assert retract(gateway, study, study.retraction(FAR - 2)).status_code == 200
    record = gateway.http.get(f"/v1/datasets/{study.dataset_id}/publications").json()["items"]
    assert {(item["kind"], item["state"], item["reason"]) for item in record} == {
        ("manifest", "retracted", "names a person"),
        ("metadata", "retracted", "names a person"),
    }
    # The proofs stay valid: the bundle exported before, and one exported now.
    assert verified(gateway, bundle).metadata == study.metadata
    now = verified(gateway, gateway.http.get(f"/v1/datasets/{study.dataset_id}/evidence").content)
    assert (now.metadata, now.manifest, now.record.dataset.version) == (None, None, 1)


def test_a_document_that_another_dataset_still_shows_is_not_erased(gateway: Gateway) -> None:
    study = Study(gateway)
    gateway.settle(study.message, **study.documents)
    twin = gateway.registration(
        content_root=study.message.content_root,
        metadata_hash=study.message.metadata_hash,
        uri="twin:",
        salt=Bytes32(b"t" * 32),
    )
    gateway.settle(twin, **study.documents)
    assert retract(gateway, study, study.retraction()).status_code == 200
    indexed(gateway)
    assert by_hash(gateway, study) == [200, 200]
    assert gateway.http.get(f"/v1/datasets/{study.dataset_id}").json()["name"] is None
    assert gateway.http.get(f"/v1/datasets/{twin.dataset_id}").json()["name"] == study.metadata["name"]


def test_the_title_takes_the_right_to_publish_with_it(gateway: Gateway, study: Study) -> None:
    head = gateway.head(study.dataset_id)
    gateway.settle(transfer(study.dataset_id, head, STRANGER.address))
    assert publish(gateway, study, study.publication()).status_code == 403
    assert publish(gateway, study, study.publication(), STRANGER).status_code == 200
    assert retract(gateway, study, study.retraction()).status_code == 403
    assert retract(gateway, study, study.retraction(), STRANGER).status_code == 200


def test_an_operator_withholds_documents_and_the_owner_cannot_publish_them_again(
    gateway: Gateway, study: Study
) -> None:
    assert publish(gateway, study, study.publication()).status_code == 200
    with gateway.node.storage.write() as connection:
        assert withhold(connection, study.dataset_id, 1, "Court of Haidian, case 7", 1.0) == 2
    gateway.node.wake()
    indexed(gateway)
    assert shown(gateway, study) == set()
    assert by_hash(gateway, study) == [404, 404]
    again = publish(gateway, study, study.publication(deadline=FAR - 1))
    assert (again.status_code, "Court of Haidian, case 7" in again.json()["detail"]) == (409, True)
    record = gateway.http.get(f"/v1/datasets/{study.dataset_id}/publications").json()["items"]
    assert {(item["state"], item["withheldFor"]) for item in record} == {("withheld", "Court of Haidian, case 7")}


def test_a_second_decision_to_withhold_leaves_the_record_of_the_first(gateway: Gateway, study: Study) -> None:
    """Version 2 repeats the manifest of version 1 and has metadata of its own: the first decision holds for a part."""
    assert publish(gateway, study, study.publication(content_root=ZERO_BYTES32), only="metadata").status_code == 200
    indexed(gateway)
    other = {"name": f"Another study of the {study.word}"}
    second = gateway.revision(
        study.dataset_id,
        gateway.head(study.dataset_id),
        content_root=study.message.content_root,
        metadata_hash=metadata_hash(other),
    )
    gateway.settle(second, metadata=other, manifest=study.documents["manifest"])
    assert publish(gateway, study, study.publication(deadline=FAR - 1)).status_code == 200
    with gateway.node.storage.write() as connection:
        assert withhold(connection, study.dataset_id, 1, "Case 1", 1.0) == 2
    with gateway.node.storage.write() as connection:
        assert withhold(connection, study.dataset_id, 2, "Case 2", 2.0) == 1
    for version in (1, 2):
        with pytest.raises(Conflict, match="already withheld: Case 1"), gateway.node.storage.write() as connection:
            withhold(connection, study.dataset_id, version, "Case 3", 3.0)
    with gateway.node.storage.read() as connection:
        records = records_of(connection, study.dataset_id)
    assert {(one.version, one.kind): (one.withheld_for, one.withheld_at) for one in records} == {
        (1, "manifest"): ("Case 1", 1.0),
        (1, "metadata"): ("Case 1", 1.0),
        (2, "manifest"): ("Case 1", 1.0),
        (2, "metadata"): ("Case 2", 2.0),
    }


def test_what_an_operator_withholds_comes_back_by_no_other_document_or_version_of_the_dataset(
    gateway: Gateway, study: Study
) -> None:
    """The owner publishes the other document of that version, and the same document as another version's."""
    assert publish(gateway, study, study.publication(content_root=ZERO_BYTES32), only="metadata").status_code == 200
    indexed(gateway)
    head = gateway.head(study.dataset_id)
    second = gateway.revision(study.dataset_id, head, metadata_hash=study.message.metadata_hash)
    gateway.settle(second, metadata=study.metadata)
    with gateway.node.storage.write() as connection:
        withhold(connection, study.dataset_id, 1, "Court of Haidian, case 8", 1.0)
    gateway.node.wake()
    indexed(gateway)
    assert shown(gateway, study) == set()
    assert by_hash(gateway, study) == [404, 404]
    only_manifest = study.publication(metadata_hash=ZERO_BYTES32)
    assert publish(gateway, study, only_manifest, only="manifest").status_code == 409
    only_metadata = study.publication(content_root=ZERO_BYTES32, version=2, deadline=FAR - 3)
    assert publish(gateway, study, only_metadata, only="metadata").status_code == 409
    indexed(gateway)
    assert shown(gateway, study) == set()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"version": 2}, "version"),
        ({"dataset_id": DatasetId(b"\x07" * 32)}, "datasetId"),
        ({"metadata_hash": ZERO_BYTES32}, "metadataHash"),
        ({"content_root": Bytes32(b"\x07" * 32)}, "contentRoot"),
    ],
)
def test_a_publication_of_something_else_is_refused_by_name_and_nothing_is_accepted(
    gateway: Gateway, changed: dict[str, Any], field: str
) -> None:
    study = Study(gateway)
    body = gateway.body(study.message, **study.documents)
    body["publication"] = gateway.body(study.publication(**changed))
    answer = gateway.http.post("/v1/datasets", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"body.publication.message.{field}")
    assert gateway.http.get(f"/v1/datasets/{study.dataset_id}").status_code == 404


def test_a_publication_after_its_deadline_is_refused(gateway: Gateway, study: Study) -> None:
    answer = publish(gateway, study, study.publication(deadline=1_700_000_000))
    assert (answer.status_code, answer.json()["error"]) == (422, "DeadlinePassed")


def test_a_repeated_registration_keeps_its_receipt_when_its_documents_were_taken_back(gateway: Gateway) -> None:
    study = Study(gateway)
    accepted = gateway.settle(study.message, **study.documents)
    assert retract(gateway, study, study.retraction()).status_code == 200
    answer = gateway.send(study.message, **study.documents)
    assert (answer.status_code, answer.json()["id"]) == (202, accepted["id"])
    indexed(gateway)
    assert shown(gateway, study) == set()
    assert by_hash(gateway, study) == [404, 404]


def verified(gateway: Gateway, bundle: bytes) -> Any:
    """The verified bundle, its blocks vouched for by the chain itself."""
    chain = gateway.node.chain
    hashes = {
        Bytes32.parse(chain.request("eth_getBlockByNumber", [hex(height), False])["hash"])
        for height in blocks_to_vouch_for(bundle, PROTOCOLS)
    }
    return verify(bundle, PinnedBlocks(hashes, gateway.deployment.chain_id), PROTOCOLS)
