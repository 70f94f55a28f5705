"""Reading datasets."""

from __future__ import annotations

from typing import Literal, TypeVar

from registry.base.errors import Unavailable
from registry.base.primitives import Bytes32, DatasetId
from registry.sdk.exchange import Operation, Request, Response
from registry.sdk.models.datasets import Claims, Dataset, DatasetPage, DatasetState, History, Lineage, VersionPage
from registry.sdk.models.result import Json
from registry.sdk.operations.parts import dataset_path, get, get_json, model, query_of

AnyState = TypeVar("AnyState", bound=DatasetState)


def dataset(dataset_id: DatasetId | str, *, min_block: int | None = None) -> Operation[Dataset]:
    """Return the operation that reads one dataset.

    Args:
        dataset_id: The dataset's id, or its first 8 or more hex digits.
        min_block: The height that the gateway's index must have reached.
    """
    return _about(Dataset, dataset_id, min_block)


def state(dataset_id: DatasetId | str) -> Operation[DatasetState]:
    """Return the operation that reads the fields of a dataset that its next message depends on."""
    return _about(DatasetState, dataset_id, None)


def datasets(**filters: str | None) -> Operation[DatasetPage]:
    """Return the operation that reads the first page of datasets.

    Args:
        filters: owner, name, q, sha256, status, source.
    """
    return get(DatasetPage, "/v1/datasets", **filters)


def versions(dataset_id: DatasetId | str) -> Operation[VersionPage]:
    """Return the operation that reads the first page of a dataset's versions."""
    return get(VersionPage, dataset_path(dataset_id, "versions"))


def history(dataset_id: DatasetId | str) -> Operation[History]:
    """Return the operation that reads the first page of a dataset's history."""
    return get(History, dataset_path(dataset_id, "history"))


def claims(sha256: Bytes32) -> Operation[Claims]:
    """Return the operation that reads the first page of registrations of content with a hash."""
    return get(Claims, "/v1/verify", sha256=sha256.hex())


def lineage(
    dataset_id: DatasetId | str,
    *,
    version: int | None = None,
    direction: Literal["up", "down", "both"] = "both",
    depth: int | None = None,
) -> Operation[Lineage]:
    """Return the operation that reads what a dataset derives from, and what derives from it.

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
    """Return the operation that reads a dataset's description for a data catalogue, as JSON-LD."""
    return get_json(dataset_path(dataset_id, form))


def _about(kind: type[AnyState], dataset_id: DatasetId | str, min_block: int | None) -> Operation[AnyState]:
    """Return the operation that reads a dataset and refuses an answer about another one.

    The id is signed next, or read from the chain: a gateway that lies must not lead to another dataset.
    """
    asked = str(dataset_id).lower().removeprefix("0x")

    def parse(response: Response) -> AnyState:
        found = model(kind)(response)
        if not found.dataset_id.hex().startswith(asked):
            raise Unavailable(f"The gateway was asked about {dataset_id} and answered about another dataset.")
        return found

    return Operation(Request("GET", dataset_path(dataset_id), query_of(min_block=min_block)), parse)
