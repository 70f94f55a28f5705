"""Read a dataset's record from the chain, with a gateway's help where something is not given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from registry.base.errors import NotFound, Unavailable
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids
from registry.manifest import Manifest
from registry.rooms.deployment import Deployment
from registry.sdk.client import Client

if TYPE_CHECKING:
    from registry.chain import client as chains
    from registry.chain import rpc
    from registry.verification import chain as by_chain
else:  # The gateway is asked before the chain is read.
    chains, rpc = lazy("registry.chain.client"), lazy("registry.chain.rpc")
    by_chain = lazy("registry.verification.chain")


def read_record(
    dataset: str,
    version: int | None,
    nodes: Sequence[str],
    pins: Mapping[str, Address],
    gateway: Client,
) -> tuple[by_chain.ChainRecord, str | None]:
    """Return a dataset's record from the chain, and the beginning of its id where the gateway completed it.

    Args:
        dataset: The dataset's id, or the beginning of it.
        version: The version; None: the latest.
        nodes: URLs of nodes to read; empty: the gateway's.
        pins: The contracts' addresses that the auditor knows, by name.
        gateway: The gateway that supplies what is not given.

    Raises:
        RegistryError: The record cannot be read, or a check failed.
    """
    dataset_id = _full_id(gateway, ids.id_text(dataset))
    chain = rpc.RpcChain(nodes or [gateway.rpc_url])
    try:
        where = _deployment(chain, gateway, pins)
        record = by_chain.read_record(chain, chain.name, where, dataset_id, version)
    finally:
        chain.close()
    return record, None if ids.id_text(dataset) == str(dataset_id) else dataset


def _full_id(gateway: Client, text: str) -> DatasetId:
    if len(text) == 2 + 2 * DatasetId.LENGTH:
        return DatasetId.parse(text)
    try:
        return gateway.datasets.state(text).dataset_id
    except Unavailable as error:
        raise Unavailable(error.message, hint="Without a gateway, give the dataset's id in full.") from error


def _deployment(chain: chains.Chain, gateway: Client, pins: Mapping[str, Address]) -> Deployment:
    if not pins:
        try:
            served = gateway.deployment()
        except Unavailable as error:
            raise Unavailable(
                f"{error.message} Therefore the address of the registry's contract is not known.",
                hint="Give it with --contract NAME=ADDRESS, or start a node with `tdr up`.",
            ) from error
        identity = chains.identity_of(chain)
        if (identity.chain_id, identity.genesis_hash) != (served.chain_id, served.genesis_hash):
            raise chains.WrongChain(
                f"The gateway's registry is on the chain {served.chain_id}, but the node serves {identity}.",
                hint="Give a node of the same chain with --rpc.",
            )
        return served
    identity = chains.identity_of(chain)
    return Deployment.of(identity.chain_id, identity.genesis_hash, pins, 0)


def served_manifest(gateway: Client, root: Bytes32) -> Manifest | None:
    """Return the manifest, if the gateway has it. It is checked against its root, so the gateway is not trusted."""
    try:
        return gateway.datasets.manifest(root)
    except (NotFound, Unavailable):
        return None
