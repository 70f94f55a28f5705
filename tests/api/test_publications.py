"""What a dataset shows was released by its own owner; owners and operators take it back, and proofs are not touched.

The strangers of these tests know everything that is public: messages and signatures are in the chain's transactions.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.base.canonical import metadata_hash
from registry.base.errors import Conflict
from registry.base.primitives import ZERO_BYTES32, Bytes32, DatasetId, keccak256
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import blocks_to_vouch_for, verify
from registry.rooms.access.messages import AccessRequest
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets.messages import Registration
from registry.rooms.datasets.publications import records_of, withhold
from registry.rooms.datasets.statements import Publication, Retraction
from registry.rooms.protocols import PROTOCOLS
from tests.api.world import (
    ANALYST,
    FAR,
    OWNER,
    STRANGER,
    Gateway,
    grant,
    hash_of,
    manifest_of,
    open_node,
    owner,
    request,
    running,
    transfer,
)
from tests.fixtures.waiting import eventually

_numbers = itertools.count(1)


class Study:
    """A registration whose documents the owner has, but has not sent."""

    def __init__(self, gateway: Gateway) -> None:
        number = next(_numbers)
        self.word = f"wombat{number}"
        self.metadata = {"name": f"Study of the {self.word}", "description": "kept back"}
        self.manifest = manifest_of(**{self.word: b"content %d" % number})
        self.file = hash_of(b"content %d" % number)
        self.message: Registration = gateway.registration(
            content_root=self.manifest.root, metadata_hash=metadata_hash(self.metadata)
        )
        self.dataset_id: DatasetId = self.message.dataset_id

    @property
    def documents(self) -> dict[str, Any]:
        return {"metadata": self.metadata, "manifest": json.loads(self.manifest.to_json())}

    def publication(self, **changed: Any) -> Publication:
        values: dict[str, Any] = {
            "dataset_id": self.dataset_id,
            "version": 1,
            "content_root": self.message.content_root,
            "metadata_hash": self.message.metadata_hash,
            "deadline": FAR,
        }
        return Publication(**(values | changed))

    def retraction(self, deadline: int = FAR) -> Retraction:
        return Retraction(**self.publication(deadline=deadline).model_dump(), reason="names a person")


@pytest.fixture
def study(gateway: Gateway) -> Study:
    """A study that is registered, with nothing published."""
    found = Study(gateway)
    gateway.settle(found.message)
    return found


def shown(gateway: Gateway, study: Study) -> set[str]:
    """By which ways anything of a study's documents can be seen."""
    http, place = gateway.http, f"/v1/datasets/{study.dataset_id}"
    ways = {
        "the page": http.get(place),
        "the versions": http.get(f"{place}/versions"),
        "a search by words": http.get("/v1/datasets", params={"q": study.word, "owner": str(OWNER.address)}),
        "a search by name": http.get(
            "/v1/datasets", params={"name": study.metadata["name"], "owner": str(OWNER.address)}
        ),
        "the evidence": http.get(f"{place}/evidence"),
        "the lineage": http.get(f"{place}/lineage"),
        "DCAT": http.get(f"{place}/dcat"),
        "Croissant": http.get(f"{place}/croissant"),
    }
    seen = {way for way, answer in ways.items() if study.word in answer.text}
    claims = http.get("/v1/verify", params={"sha256": study.file.hex()}).json()["claims"]
    return seen | {"a claim by file" for claim in claims if claim["datasetId"] == str(study.dataset_id)}


EVERY_WAY = {
    *("the page", "the versions", "a search by words", "a search by name", "the evidence", "the lineage", "DCAT"),
    *("Croissant", "a claim by file"),
}


def by_hash(gateway: Gateway, study: Study) -> list[int]:
    paths = (f"/v1/metadata/{study.message.metadata_hash}", f"/v1/manifests/{study.message.content_root}")
    return [gateway.http.get(path).status_code for path in paths]


def publish(
    gateway: Gateway, study: Study, statement: Publication, by: Any = OWNER, only: str | None = None
) -> httpx.Response:
    documents = {name: document for name, document in study.documents.items() if only in (None, name)}
    body = gateway.body(statement, by) | documents
    return gateway.http.post(f"/v1/datasets/{study.dataset_id}/publications", json=body)


def retract(gateway: Gateway, study: Study, statement: Retraction, by: Any = OWNER) -> httpx.Response:
    return gateway.http.post(f"/v1/datasets/{study.dataset_id}/retractions", json=gateway.body(statement, by))


def indexed(gateway: Gateway) -> None:
    """Wait until the index has looked at what has changed: any later write is seen after it."""
    gateway.register(owner("somebody whose registration comes later"))


def test_documents_that_the_owner_publishes_are_shown_by_every_way(gateway: Gateway) -> None:
    study = Study(gateway)
    gateway.settle(study.message, **study.documents)
    assert shown(gateway, study) == EVERY_WAY
    assert by_hash(gateway, study) == [200, 200]


def test_a_stranger_without_a_key_publishes_nothing(gateway: Gateway, study: Study) -> None:
    """The message is known to all, with any deadline; the signature is none."""
    for deadline in (1, FAR, FAR - 1):
        message = study.message.to_json() | {"deadline": deadline}
        body = {"message": message, "signature": "0x" + "00" * 65, **study.documents}
        assert gateway.http.post("/v1/datasets", json=body).status_code == 422
        statement = {"message": study.publication(deadline=FAR).to_json(), "signature": "0x" + "00" * 65}
        assert gateway.http.post("/v1/datasets", json=body | {"publication": statement}).status_code in (403, 422)
    assert shown(gateway, study) == set()
    assert by_hash(gateway, study) == [404, 404]


def test_the_public_message_with_its_own_signature_publishes_nothing(gateway: Gateway, study: Study) -> None:
    """The signature of a registration says nothing about documents, and a stranger's statement is not the owner's."""
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
    """Documents are a matter of (dataset, version, document): another dataset's publication is not this one's."""
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

    # Everybody knows the statements by now; each counts once.
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
    # The proofs stand: the bundle that was exported before, and one that is exported now.
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
        with pytest.raises(Conflict, match="withheld already: Case 1"), gateway.node.storage.write() as connection:
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


def policy(gateway: Gateway, study: Study, accepted: bool, issued_at: int, by: Any = OWNER) -> httpx.Response:
    statement = RequestPolicy(dataset_id=study.dataset_id, accepted=accepted, issued_at=issued_at, deadline=FAR)
    return gateway.http.post(f"/v1/datasets/{study.dataset_id}/request-policy", json=gateway.body(statement, by))


def test_an_owner_closes_a_dataset_to_requests_and_opens_it_again(gateway: Gateway, study: Study) -> None:
    ask = gateway.body(request(study.dataset_id), ANALYST)
    place = f"/v1/datasets/{study.dataset_id}/requests"
    assert policy(gateway, study, False, 100, STRANGER).status_code == 403
    assert policy(gateway, study, False, 100).json()["accepted"] is False
    assert gateway.http.post(place, json=ask).status_code == 409
    assert policy(gateway, study, True, 99).status_code == 409, "an older statement does not count"
    assert policy(gateway, study, True, 101).json()["accepted"] is True
    assert policy(gateway, study, False, 100).status_code == 409, "everybody knows the older one"
    assert gateway.http.post(place, json=ask).status_code == 202


def test_a_repeated_request_keeps_its_receipt_when_the_dataset_is_closed_and_new_ones_are_refused(
    gateway: Gateway, study: Study
) -> None:
    """With another deadline it is another message, whose effect is there already."""
    ask = request(study.dataset_id)
    accepted = gateway.settle(ask, ANALYST)
    assert policy(gateway, study, False, 100).status_code == 200
    for again in (ask, ask.model_copy(update={"deadline": FAR - 1})):
        answer = gateway.send(again, ANALYST)
        assert (answer.status_code, answer.json()["id"]) == (202, accepted["id"])
    assert gateway.send(request(study.dataset_id, 1), ANALYST).status_code == 409


def test_a_repeated_registration_keeps_its_receipt_when_its_documents_were_taken_back(gateway: Gateway) -> None:
    study = Study(gateway)
    accepted = gateway.settle(study.message, **study.documents)
    assert retract(gateway, study, study.retraction()).status_code == 200
    answer = gateway.send(study.message, **study.documents)
    assert (answer.status_code, answer.json()["id"]) == (202, accepted["id"])
    indexed(gateway)
    assert shown(gateway, study) == set()
    assert by_hash(gateway, study) == [404, 404]


@pytest.mark.parametrize("issued_at", [4_000_000_000, 1_800_000_000_000, 2**53 - 1])
def test_a_policy_of_the_future_locks_nobody_out(gateway: Gateway, study: Study, issued_at: int) -> None:
    """Neither a careless owner, who counts in milliseconds, nor whoever buys the title from a spiteful one."""
    refused = policy(gateway, study, False, issued_at)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "body.message.issuedAt")
    gateway.settle(transfer(study.dataset_id, gateway.head(study.dataset_id), STRANGER.address))
    assert policy(gateway, study, False, 100, STRANGER).status_code == 200
    assert policy(gateway, study, True, 101, STRANGER).status_code == 200


def test_an_owner_makes_so_many_statements_in_an_hour(tmp_path: Path) -> None:
    with open_node(tmp_path, max_statements_per_hour=2) as node, running(node) as gateway:
        study = Study(gateway)
        gateway.settle(study.message)
        assert [policy(gateway, study, True, number).status_code for number in (1, 2)] == [200, 200]
        refused = policy(gateway, study, True, 3)
        assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
        assert refused.json()["type"] == "/problems/limit-reached"
        assert 0 < int(refused.headers["retry-after"]) <= 3600
        assert publish(gateway, study, study.publication()).status_code == 200


def test_open_requests_are_capped_and_an_answer_makes_room(tmp_path: Path) -> None:
    """A1: whoever makes throw-away keys fills the cap, and not the chain."""
    with open_node(tmp_path, max_open_requests=3) as node, running(node) as gateway:
        study = Study(gateway)
        gateway.settle(study.message)

        def asking(by: Any) -> AccessRequest:
            return request(study.dataset_id).model_copy(update={"grantee": by.address})

        def ask(name: str) -> httpx.Response:
            by = owner(name)
            return gateway.send(asking(by), by)

        gateway.settle(request(study.dataset_id), ANALYST)
        # A request that is just being mined may count twice for a moment: never too many, sometimes too few.
        accepted = [answer for number in range(20) if (answer := ask(f"throw-away {number}")).status_code == 202]
        assert len(accepted) <= 2
        for answer in accepted:
            receipt = gateway.http.get(answer.headers["location"], params={"wait": 30}).json()
            gateway.wait_for_index(receipt["blockNumber"])
        for number in range(len(accepted), 2):
            by = owner(f"another throw-away {number}")
            gateway.settle(asking(by), by)
        assert ask("one too many").status_code == 409
        gateway.settle(grant(study.dataset_id))
        gateway.settle(asking(STRANGER), STRANGER)
        assert ask("still one too many").status_code == 409
        answer = gateway.http.get(f"/v1/datasets/{study.dataset_id}/request-policy").json()
        assert (answer["accepted"], answer["maxOpen"]) == (True, 3)


def test_a_request_counts_though_its_block_is_final_before_the_index_has_it(tmp_path: Path) -> None:
    """A1: with an index that was behind, a few requests more than the cap were accepted."""
    with open_node(tmp_path, start=False, max_open_requests=1) as node, running(node) as gateway:
        relayer = next(worker for worker in node._workers if worker.name == "relayer")
        relayer.start()
        message = gateway.registration()

        def finalize(answer: httpx.Response) -> None:
            assert answer.status_code == 202
            place = answer.headers["location"]
            eventually(lambda: gateway.http.get(place).json()["status"] == "final")

        finalize(gateway.send(message))
        finalize(gateway.send(request(message.dataset_id), ANALYST))
        another = request(message.dataset_id).model_copy(update={"grantee": STRANGER.address})
        assert gateway.send(another, STRANGER).status_code == 409


def test_one_account_has_few_open_requests_for_a_dataset(gateway: Gateway, study: Study) -> None:
    for number in range(3):
        gateway.settle(request(study.dataset_id, number), ANALYST)
    fourth = gateway.send(request(study.dataset_id, 3), ANALYST)
    assert (fourth.status_code, fourth.json()["title"]) == (409, "Conflict")


def verified(gateway: Gateway, bundle: bytes) -> Any:
    """The verified bundle, its blocks vouched for by the chain itself."""
    chain = gateway.node.chain
    hashes = {
        Bytes32.parse(chain.request("eth_getBlockByNumber", [hex(height), False])["hash"])
        for height in blocks_to_vouch_for(bundle, PROTOCOLS)
    }
    return verify(bundle, PinnedBlocks(hashes, gateway.deployment.chain_id), PROTOCOLS)
