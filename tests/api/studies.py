"""Registrations without public documents, and statements about them."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx

from registry.base.canonical import metadata_hash
from registry.base.primitives import DatasetId
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets.messages import Registration
from registry.rooms.datasets.statements import Publication, Retraction
from tests.api.world import FAR, OWNER, Gateway, hash_of, manifest_of, owner

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


def shown(gateway: Gateway, study: Study) -> set[str]:
    """Return the routes that show anything of a study's documents."""
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
    """Wait until the index has read all changes so far, by waiting for a later write."""
    gateway.register(owner("an owner who registers later"))


def policy(gateway: Gateway, study: Study, accepted: bool, issued_at: int, by: Any = OWNER) -> httpx.Response:
    statement = RequestPolicy(dataset_id=study.dataset_id, accepted=accepted, issued_at=issued_at, deadline=FAR)
    return gateway.http.post(f"/v1/datasets/{study.dataset_id}/request-policy", json=gateway.body(statement, by))
