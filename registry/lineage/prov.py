"""Write a lineage in the W3C's PROV: as PROV-JSON, and as PROV-O in JSON-LD.

Each version is an entity that specialises its dataset, was generated when it was registered, and is attributed to the
owner of the dataset at that time. Sources are derivations, next versions are revisions.

Source: PROV-JSON (W3C submission, 2013), PROV-O (W3C recommendation, 2013).
"""

from __future__ import annotations

from typing import Any, Final

from registry.base.primitives import DatasetId
from registry.base.times import iso_datetime
from registry.lineage.graph import Graph, Node, Relation
from registry.rooms.datasets.caip import Namer
from registry.rooms.datasets.messages import Source

VOCABULARY: Final = "urn:tdr:"
"""The namespace of this project's terms."""

PROV: Final = "http://www.w3.org/ns/prov#"
_RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
_XSD: Final = "http://www.w3.org/2001/XMLSchema#"

_CONTEXT: Final[dict[str, Any]] = {
    "prov": PROV,
    "rdfs": _RDFS,
    "tdr": VOCABULARY,
    "label": "rdfs:label",
    "contentRoot": "tdr:contentRoot",
    "datasetId": "tdr:datasetId",
    "version": {"@id": "tdr:version", "@type": f"{_XSD}integer"},
    "status": "tdr:status",
    "generatedAtTime": {"@id": "prov:generatedAtTime", "@type": f"{_XSD}dateTime"},
    "specializationOf": {"@id": "prov:specializationOf", "@type": "@id"},
    "wasAttributedTo": {"@id": "prov:wasAttributedTo", "@type": "@id"},
    "wasDerivedFrom": {"@id": "prov:wasDerivedFrom", "@type": "@id", "@container": "@set"},
    "wasRevisionOf": {"@id": "prov:wasRevisionOf", "@type": "@id"},
}


def prov_json(graph: Graph, namer: Namer) -> dict[str, Any]:
    """Return the graph as a PROV-JSON document."""
    document: dict[str, dict[str, Any]] = {
        "prefix": {"tdr": VOCABULARY, "ds": namer.datasets, "account": namer.accounts},
        "entity": {},
        "agent": {},
        "specializationOf": {},
        "wasGeneratedBy": {},
        "wasAttributedTo": {},
        "wasDerivedFrom": {},
    }
    for number, node in enumerate(graph.nodes, 1):
        name, dataset, agent = _version(node.version), _dataset(node.version.dataset_id), f"account:{node.claimant}"
        document["entity"][dataset] = {"tdr:datasetId": str(node.version.dataset_id)}
        document["agent"][agent] = {}
        document["entity"][name] = {
            **({} if node.name is None else {"prov:label": node.name}),
            "tdr:datasetId": str(node.version.dataset_id),
            "tdr:version": node.version.version,
            "tdr:contentRoot": str(node.content_root),
            "tdr:status": _status(node),
        }
        document["specializationOf"][f"_:s{number}"] = {"prov:specificEntity": name, "prov:generalEntity": dataset}
        document["wasGeneratedBy"][f"_:g{number}"] = {
            "prov:entity": name,
            "prov:time": iso_datetime(node.registered_at),
        }
        document["wasAttributedTo"][f"_:a{number}"] = {"prov:entity": name, "prov:agent": agent}
    for number, edge in enumerate(graph.edges, 1):
        document["wasDerivedFrom"][f"_:d{number}"] = {
            "prov:generatedEntity": _version(edge.later),
            "prov:usedEntity": _version(edge.earlier),
            **(
                {"prov:type": {"$": "prov:Revision", "type": "prov:QUALIFIED_NAME"}}
                if edge.relation is Relation.REVISION
                else {}
            ),
        }
    return {kind: records for kind, records in document.items() if records}


def json_ld(graph: Graph, namer: Namer) -> dict[str, Any]:
    """Return the graph as PROV-O in JSON-LD. The context is part of the document, so a reader fetches nothing."""
    datasets = sorted({node.version.dataset_id for node in graph.nodes})
    accounts = sorted({node.claimant for node in graph.nodes})
    described = [
        *({"@id": namer.account(account), "@type": "prov:Agent"} for account in accounts),
        *(
            {"@id": namer.dataset(dataset_id), "@type": "prov:Entity", "datasetId": str(dataset_id)}
            for dataset_id in datasets
        ),
        *(_node_object(graph, node, namer) for node in graph.nodes),
    ]
    return {"@context": _CONTEXT, "@graph": described}


def _node_object(graph: Graph, node: Node, namer: Namer) -> dict[str, Any]:
    edges = graph.parents.get(node.version, ())
    origins = {
        relation: [
            namer.version(edge.earlier.dataset_id, edge.earlier.version) for edge in edges if edge.relation is relation
        ]
        for relation in Relation
    }
    return {
        "@id": namer.version(node.version.dataset_id, node.version.version),
        "@type": "prov:Entity",
        **({} if node.name is None else {"label": node.name}),
        "datasetId": str(node.version.dataset_id),
        "version": node.version.version,
        "contentRoot": str(node.content_root),
        "status": _status(node),
        "specializationOf": namer.dataset(node.version.dataset_id),
        "generatedAtTime": iso_datetime(node.registered_at),
        "wasAttributedTo": namer.account(node.claimant),
        **({"wasDerivedFrom": origins[Relation.DERIVATION]} if origins[Relation.DERIVATION] else {}),
        **({"wasRevisionOf": origins[Relation.REVISION][0]} if origins[Relation.REVISION] else {}),
    }


def _dataset(dataset_id: DatasetId) -> str:
    return f"ds:{int(dataset_id)}"


def _version(version: Source) -> str:
    return f"{_dataset(version.dataset_id)}#v{version.version}"


def _status(node: Node) -> str:
    return "withdrawn" if node.is_withdrawn else "active"
