"""The certificate: the same evidence, on a page for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Query, Request, Response

from api.answers import in_form
from api.deps import NodeDep, base_url, in_heavy_thread
from api.problems import CONFLICT, INVALID, NOT_FOUND, documented
from api.reads import Moment
from api.rooms.datasets.evidence import shown_content
from api.rooms.datasets.ids import IdPrefix
from api.rooms.datasets.reads import queries_of
from api.strict import StrictRoute
from registry.base.errors import Unavailable
from registry.base.urls import leads_to_this_machine
from registry.certificate.context import context_url
from registry.certificate.credential import issue
from registry.certificate.facts import Facts, facts_of
from registry.certificate.page import render
from registry.evidence.bundle import parse_bundle
from registry.evidence_export.blocks import block_as_of
from registry.evidence_export.bundles import export_bundle
from registry.keys.notes import load_note_key
from registry.node import Node
from registry.notes.note import SigningKey
from registry.rooms.access.grantees import AccessLogs
from registry.rooms.protocols import PROTOCOLS

router = APIRouter(prefix="/v1/datasets", tags=["provenance"], route_class=StrictRoute)

MAX_URL: Final = 255
"""The code of a longer address is too dense for cameras."""

MAX_GRANTS: Final = 100
"""The number of active grants that a certificate or credential proves; it states the number of the others."""

Version = Annotated[int | None, Query(ge=1, lt=2**24, description="The version; without it, the latest.")]
AsOf = Annotated[Moment | None, Query(description="The time that it is as of; by default the latest block.")]


@router.get(
    "/{dataset_id}/certificate.pdf",
    summary="Its certificate",
    operation_id="certificate",
    response_class=Response,
    responses={
        **in_form("application/pdf", "One page, with the evidence bundle attached."),
        **documented(NOT_FOUND, CONFLICT, INVALID),
    },
)
async def certificate(
    node: NodeDep, request: Request, dataset_id: IdPrefix, version: Version = None, at: AsOf = None
) -> Response:
    """Return a page in Chinese and English with the evidence bundle attached; `tdr verify PATH --bundle FILE` reads it.

    `TDR-Verify-Link: none` means that the page has no code to scan, because the gateway has no public address.
    """
    base = base_url(node, request)

    def make(facts: Facts, bundle: bytes) -> bytes:
        return render(facts, bundle, _verify_url(base, facts))

    facts, page = await in_heavy_thread(request, lambda: _made(node, dataset_id, version, at, make))
    headers = {
        "Content-Disposition": f'inline; filename="{facts.dataset_id.hex()[:16]}-v{facts.version}.pdf"',
        "TDR-As-Of-Block": str(facts.as_of.number),
        "TDR-Verify-Link": "none" if _verify_url(base, facts) is None else "printed",
    }
    return Response(page, headers=headers, media_type="application/pdf")


@router.get(
    "/{dataset_id}/credential",
    summary="Its certificate as a Verifiable Credential",
    operation_id="credential",
    response_class=Response,
    responses={
        **in_form("application/vc", "A W3C Verifiable Credential 2.0, signed."),
        **documented(NOT_FOUND, CONFLICT, INVALID),
    },
)
async def credential(
    node: NodeDep, request: Request, dataset_id: IdPrefix, version: Version = None, at: AsOf = None
) -> Response:
    """Return the certificate as JSON-LD, signed with this node's checkpoint key (`did:key`, eddsa-jcs-2022)."""

    def make(facts: Facts, bundle: bytes) -> bytes:
        key = _key(node)
        return orjson.dumps(
            issue(facts, bundle, key.verifier.public, key.sign_bytes, context=_context(node), now=int(node.clock()))
        )

    facts, document = await in_heavy_thread(request, lambda: _made(node, dataset_id, version, at, make))
    return Response(document, headers={"TDR-As-Of-Block": str(facts.as_of.number)}, media_type="application/vc")


def _context(node: Node) -> str:
    """Return the address of the context: from the operator's setting, because a request may name any host."""
    return context_url(node.settings.public_url or f"http://localhost:{node.settings.port}/")


def _key(node: Node) -> SigningKey:
    """Return the node's key for checkpoints.

    Raises:
        Unavailable: This process has none.
    """
    path = node.settings.checkpoint_key_file
    if not path.exists():
        raise Unavailable(
            "This gateway has no key to sign credentials with.", hint="The node with the indexer has one."
        )
    return load_note_key(path)


def _made(
    node: Node, prefix: str, version: int | None, at: int | None, make: Callable[[Facts, bytes], bytes]
) -> tuple[Facts, bytes]:
    """Return an answer made from a fresh bundle and its facts."""
    dataset_id, until = queries_of(node).resolve(prefix), block_as_of(node.chain, at)
    held = AccessLogs(node.chain, node.deployment, dataset_id, until).in_force(MAX_GRANTS)
    bundle = export_bundle(
        node.chain,
        node.deployment,
        dataset_id,
        until,
        grantees=held.grantees,
        shown=lambda dataset: shown_content(node, dataset, version, []),
    )
    facts = facts_of(parse_bundle(bundle, PROTOCOLS), version, held.further)
    return facts, make(facts, bundle)


def _verify_url(base: str, facts: Facts) -> str | None:
    """Return the address in the page's code, or None if the gateway has no public address.

    The dataset is named after the #, which browsers do not send.
    """
    if leads_to_this_machine(base) or len(base) > MAX_URL:
        return None
    return f"{base}verify#{facts.dataset_id}@{facts.version}"
