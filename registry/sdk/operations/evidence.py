"""Reading evidence bundles, certificates and credentials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from registry.base.primitives import Address, DatasetId
from registry.sdk.exchange import Operation, Request, Response
from registry.sdk.models.evidence import Certificate
from registry.sdk.models.result import Json
from registry.sdk.operations.parts import dataset_path, get_json, query_of

PDF: Final = b"%PDF-"


def certificate(
    dataset_id: DatasetId | str, *, version: int | None = None, at: int | None = None
) -> Operation[Certificate]:
    """Return the operation that reads the certificate of a dataset.

    Args:
        dataset_id: The dataset's id, or its first 8 or more hex digits.
        version: The version; None: the latest.
        at: The time that it is a snapshot of, Unix seconds, UTC; None: that of the latest block.
    """
    path = dataset_path(dataset_id, "certificate.pdf")
    return Operation(Request("GET", path, query_of(version=version, at=at)), _certificate)


def credential(dataset_id: DatasetId | str, *, version: int | None = None, at: int | None = None) -> Operation[Json]:
    """Return the operation that reads the certificate of a dataset as a Verifiable Credential.

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
    """Return the operation that reads a dataset's evidence bundle. It proves nothing until it is verified.

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


def _certificate(response: Response) -> Certificate:
    if not response.content.startswith(PDF):
        raise ValueError("expected a PDF file")
    return Certificate(response.content, response.headers.get("tdr-verify-link") != "none")


def _bundle(response: Response) -> bytes:
    if not response.content.lstrip().startswith(b"{"):
        raise ValueError("expected a JSON object")
    return response.content
