"""The methods of a client about datasets."""

from __future__ import annotations

from registry.sdk.exchange import ask, ask_if_found, whole_list
from registry.sdk.methods import AnyClient_co, Method, RoomClient, RowsMethod
from registry.sdk.rooms.datasets import operations


class Datasets(RoomClient[AnyClient_co]):
    """Datasets, their documents and their evidence."""

    get = Method(operations.dataset, ask)
    state = Method(operations.state, ask)
    list = RowsMethod(operations.each_dataset)
    versions = Method(operations.versions, whole_list)
    history = Method(operations.history, whole_list)
    claims = Method(operations.claims, whole_list)
    lineage = Method(operations.lineage, ask)
    description = Method(operations.description, ask)
    publish = Method(operations.publish, ask)
    retract = Method(operations.retract, ask)
    publications = Method(operations.publications, ask)
    manifest = Method(operations.manifest, ask)
    metadata = Method(operations.metadata, ask_if_found)
    certificate = Method(operations.certificate, ask)
    credential = Method(operations.credential, ask)
    evidence = Method(operations.evidence, ask)
