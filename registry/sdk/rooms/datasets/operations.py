"""What can be asked of a gateway about datasets, their documents and their evidence.

Each function returns the operation that does what the docstring says. `client.Datasets` has them as methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypedDict, TypeVar, Unpack

from registry.base.errors import Unavailable
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.manifest import Manifest
from registry.rooms.datasets.statements import Retraction
from registry.sdk.exchange import Listing, Operation, Request, Response, listing
from registry.sdk.models.result import Json
from registry.sdk.operations.parts import get, get_json, model, post, query_of, segment
from registry.sdk.rooms.datasets.models import (
    Certificate,
    Claims,
    Dataset,
    DatasetItem,
    DatasetPage,
    DatasetState,
    Documents,
    History,
    Lineage,
    Published,
    VersionPage,
)
from registry.sdk.signing import Signed

PDF: Final = b"%PDF-"

AnyState = TypeVar("AnyState", bound=DatasetState)


class Filters(TypedDict, total=False):
    """Which datasets a list has; None, or left out: all.

    Attributes:
        owner: The present owner.
        name: The whole name, whatever its case.
        q: Words of the name, in any order.
        sha256: A content root, a metadata hash, or the hash of a file.
        status: active or withdrawn.
        source: A dataset that they derive from.
    """

    owner: Address | str | None
    name: str | None
    q: str | None
    sha256: Bytes32 | str | None
    status: str | None
    source: DatasetId | str | None


def dataset_path(dataset_id: DatasetId | str, *rest: str) -> str:
    """Return the path of a dataset, or of a resource below it."""
    return "/".join(("/v1/datasets", segment(dataset_id), *rest))


def dataset(dataset_id: DatasetId | str, *, min_block: int | None = None) -> Operation[Dataset]:
    """Read a dataset.

    Args:
        dataset_id: The dataset's id, or its first 8 or more hex digits.
        min_block: The height that the gateway's index must have reached.
    """
    return _about(Dataset, dataset_id, min_block)


def state(dataset_id: DatasetId | str) -> Operation[DatasetState]:
    """Read the fields of a dataset that its next message depends on."""
    return _about(DatasetState, dataset_id, None)


def datasets(**filters: Unpack[Filters]) -> Operation[DatasetPage]:
    """Read the first page of datasets, the newest first.

    Args:
        filters: Those of `Filters`.
    """
    return get(DatasetPage, "/v1/datasets", **filters)


def each_dataset(*, limit: int | None = None, **filters: Unpack[Filters]) -> Listing[DatasetItem]:
    """Yield datasets, the newest first, page by page.

    Args:
        limit: The highest number of datasets; None: all.
        filters: Those of `Filters`.
    """
    return listing(datasets(**filters), lambda page: page.items, limit)


def versions(dataset_id: DatasetId | str) -> Operation[VersionPage]:
    """Read the versions of a dataset, in ascending order."""
    return get(VersionPage, dataset_path(dataset_id, "versions"))


def history(dataset_id: DatasetId | str) -> Operation[History]:
    """Read the history of a dataset, in the order of the chain."""
    return get(History, dataset_path(dataset_id, "history"))


def claims(sha256: Bytes32) -> Operation[Claims]:
    """Read who registered a file, content root or metadata with a hash, in the order of the chain."""
    return get(Claims, "/v1/verify", sha256=sha256.hex())


def lineage(
    dataset_id: DatasetId | str,
    *,
    version: int | None = None,
    direction: Literal["up", "down", "both"] = "both",
    depth: int | None = None,
) -> Operation[Lineage]:
    """Read what a dataset derives from, and what derives from it.

    Args:
        dataset_id: The dataset's id, or its first 8 or more hex digits.
        version: One version of it; None: all.
        direction: up, down or both.
        depth: The highest number of steps; None: no limit.
    """
    query = query_of(version=version, direction=direction, depth=depth)
    request = Request("GET", dataset_path(dataset_id, "lineage"), query)
    return Operation(request, lambda response: Lineage.parse(response.json()))


def description(dataset_id: DatasetId | str, form: Literal["dcat", "croissant"]) -> Operation[Json]:
    """Read a dataset's description for a data catalogue, as JSON-LD."""
    return get_json(dataset_path(dataset_id, form))


def publish(published: Published) -> Operation[Documents]:
    """Make documents of a version public, and read all documents of the dataset."""
    path = dataset_path(published.signed.message.dataset_id, "publications")
    return post(Documents, path, {**published.signed.body(), **published.documents()})


def retract(signed: Signed[Retraction]) -> Operation[Documents]:
    """Retract public documents of a version, and read all documents of the dataset."""
    return post(Documents, dataset_path(signed.message.dataset_id, "retractions"), signed.body())


def publications(dataset_id: DatasetId | str) -> Operation[Documents]:
    """Read the state of all documents of a dataset that were ever published."""
    return get(Documents, dataset_path(dataset_id, "publications"))


def manifest(root: Bytes32) -> Operation[Manifest]:
    """Read the manifest with a content root. It is checked against the root."""

    def parse(response: Response) -> Manifest:
        found = Manifest.parse(response.content)
        if found.root != root:
            raise Unavailable(f"The gateway answered with the manifest of another root than {root}.")
        return found

    return Operation(Request("GET", f"/v1/manifests/{root}"), parse)


def metadata(metadata_hash: Bytes32) -> Operation[Json]:
    """Read the public metadata with a hash. It is not checked against the hash."""
    return get_json(f"/v1/metadata/{metadata_hash}")


def certificate(
    dataset_id: DatasetId | str, *, version: int | None = None, at: int | None = None
) -> Operation[Certificate]:
    """Read the certificate of a dataset.

    Args:
        dataset_id: The dataset's id, or its first 8 or more hex digits.
        version: The version; None: the latest.
        at: The time that it is a snapshot of, Unix seconds, UTC; None: that of the latest block.
    """
    path = dataset_path(dataset_id, "certificate.pdf")
    return Operation(Request("GET", path, query_of(version=version, at=at)), _certificate)


def credential(dataset_id: DatasetId | str, *, version: int | None = None, at: int | None = None) -> Operation[Json]:
    """Read the certificate of a dataset as a Verifiable Credential.

    Args:
        dataset_id: The dataset's id, or its first 8 or more hex digits.
        version: The version; None: the latest.
        at: The time that it is a snapshot of, Unix seconds, UTC; None: that of the latest block.
    """
    return get_json(dataset_path(dataset_id, "credential"), version=version, at=at)


def evidence(
    dataset_id: DatasetId,
    *,
    cosignatures: int | None = None,
    files: Sequence[str] = (),
    grantees: Sequence[Address] | None = None,
    version: int | None = None,
) -> Operation[bytes]:
    """Read a dataset's evidence bundle, as the gateway makes it. It proves nothing until it is verified.

    Args:
        dataset_id: The dataset.
        cosignatures: Take the newest checkpoint with this many cosignatures; None: the latest block.
        files: The paths of files to show instead of the whole manifest.
        grantees: The accounts whose access to show; None: all.
        version: The version whose content to show; None: the latest.
    """
    query: dict[str, str | tuple[str, ...]] = {
        **query_of(cosignatures=cosignatures, version=version),
        "file": tuple(files),
        "grantee": tuple(str(grantee) for grantee in grantees or ()),
    }
    return Operation(Request("GET", dataset_path(dataset_id, "evidence"), query), _bundle)


def _about(kind: type[AnyState], dataset_id: DatasetId | str, min_block: int | None) -> Operation[AnyState]:
    """Return the operation that reads a dataset and refuses an answer about another one.

    The id is signed next, or read from the chain: a gateway that lies must not lead to another dataset.
    """
    asked = str(dataset_id).lower().removeprefix("0x")

    def parse(response: Response) -> AnyState:
        state = model(kind)(response)
        if not state.dataset_id.hex().startswith(asked):
            raise Unavailable(f"The gateway was asked about {dataset_id} and answered about another dataset.")
        return state

    return Operation(Request("GET", dataset_path(dataset_id), query_of(min_block=min_block)), parse)


def _certificate(response: Response) -> Certificate:
    if not response.content.startswith(PDF):
        raise ValueError("expected a PDF file")
    return Certificate(response.content, response.headers.get("tdr-verify-link") != "none")


def _bundle(response: Response) -> bytes:
    if not response.content.lstrip().startswith(b"{"):
        raise ValueError("expected a JSON object")
    return response.content
