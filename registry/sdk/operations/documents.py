"""Publishing, retracting and reading documents of datasets, and closing datasets to requests for access."""

from __future__ import annotations

from registry.base.errors import Unavailable
from registry.base.primitives import Bytes32, DatasetId
from registry.manifest import Manifest
from registry.rooms.access.statements import RequestPolicy
from registry.rooms.datasets.statements import Retraction
from registry.sdk.exchange import Operation, Request, Response
from registry.sdk.models.documents import Documents, RequestPolicyState
from registry.sdk.models.result import Json
from registry.sdk.operations.parts import dataset_path, get, get_json, post
from registry.sdk.signing import Published, Signed


def publish(published: Published) -> Operation[Documents]:
    """Return the operation that makes documents of a version public."""
    path = dataset_path(published.signed.message.dataset_id, "publications")
    return post(Documents, path, {**published.signed.body(), **published.documents()})


def retract(signed: Signed[Retraction]) -> Operation[Documents]:
    """Return the operation that retracts public documents of a version."""
    return post(Documents, dataset_path(signed.message.dataset_id, "retractions"), signed.body())


def publications(dataset_id: DatasetId | str) -> Operation[Documents]:
    """Return the operation that reads all documents of a dataset that were ever published."""
    return get(Documents, dataset_path(dataset_id, "publications"))


def set_request_policy(signed: Signed[RequestPolicy]) -> Operation[RequestPolicyState]:
    """Return the operation that opens a dataset to requests for access, or closes it to them."""
    return post(RequestPolicyState, dataset_path(signed.message.dataset_id, "request-policy"), signed.body())


def request_policy(dataset_id: DatasetId | str) -> Operation[RequestPolicyState]:
    """Return the operation that asks whether the gateway accepts requests for access to a dataset."""
    return get(RequestPolicyState, dataset_path(dataset_id, "request-policy"))


def manifest(root: Bytes32) -> Operation[Manifest]:
    """Return the operation that reads the manifest with a content root. Its parser checks the root."""

    def parse(response: Response) -> Manifest:
        found = Manifest.parse(response.content)
        if found.root != root:
            raise Unavailable(f"The gateway answered with the manifest of another root than {root}.")
        return found

    return Operation(Request("GET", f"/v1/manifests/{root}"), parse)


def metadata(metadata_hash: Bytes32) -> Operation[Json]:
    """Return the operation that reads the metadata with a hash. Its parser does not check the hash."""
    return get_json(f"/v1/metadata/{metadata_hash}")
