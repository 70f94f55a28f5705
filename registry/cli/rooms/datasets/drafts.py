"""Dry runs: check whether a write would be refused, as far as possible without a signature, and show it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from registry.base.errors import InvalidInput, NotFound
from registry.base.primitives import Address, Bytes32, DatasetId
from registry.chain.calls import ECDSA_SIGNATURE_BYTES, calldata, gas_limit, simulate
from registry.chain.client import Chain
from registry.chain.history import block_at
from registry.chain.rpc import RpcChain
from registry.cli.output import print_fields, print_json, print_line, print_note
from registry.cli.times import show_time
from registry.cli.writing import SigningSession
from registry.ethereum.eip712 import Message
from registry.relay.authority import has_code
from registry.rooms.datasets.errors import unknown, withheld
from registry.rooms.datasets.messages import Registration
from registry.rooms.datasets.ownership import owner_of
from registry.rooms.datasets.service import read_dataset
from registry.rooms.datasets.statements import DatasetStatement, Publication
from registry.rooms.protocols import PROTOCOLS


def show_message(session: SigningSession, message: Message, more: Mapping[str, object], *, as_json: bool) -> None:
    """Rehearse a message on the chain, and print what would be signed.

    The call has no signature, and its sender is the account that must sign. The contract needs no signature for a call
    by that account, and checks everything else as for a signed message.

    Args:
        session: The session that would sign it.
        message: The message.
        more: Further fields by their JSON names.
        as_json: Whether to print JSON.

    Raises:
        ContractRefused: The contract would refuse it.
        RegistryError: The chain cannot be read.
    """
    node = RpcChain([session.gateway.rpc_url])
    try:
        signer = PROTOCOLS.named_signer(message) or _owner(node, session, DatasetId(message.subject.id))
        call = calldata(message, b"")
        simulate(
            node,
            {
                "from": str(signer),
                "to": str(session.contract_of(message)),
                "gas": hex(gas_limit(message, bytes(ECDSA_SIGNATURE_BYTES), call)),
                "data": f"0x{call.hex()}",
            },
            refusals=PROTOCOLS.refusals,
        )
        _require_right(node, session, signer)
    finally:
        node.close()
    _show(session, message, more, as_json=as_json)


def show_statement(
    session: SigningSession, statement: DatasetStatement, more: Mapping[str, object], *, as_json: bool
) -> None:
    """Check a statement against the chain and the gateway's records, and print what would be signed.

    Args:
        session: The session that would sign it.
        statement: The statement.
        more: Further fields by their JSON names.
        as_json: Whether to print JSON.

    Raises:
        ContractRefused: The key is not the owner's.
        NotFound: There is no such dataset or version.
        InvalidInput: A document is not that of the version.
        Conflict: The operator withholds a document.
        RegistryError: The chain cannot be read.
    """
    node = RpcChain([session.gateway.rpc_url])
    try:
        _require_right(node, session, _owner(node, session, statement.dataset_id))
        if isinstance(statement, Publication):
            _require_publishable(node, session, statement)
    finally:
        node.close()
    _show(session, statement, more, as_json=as_json)


def _owner(node: Chain, session: SigningSession, dataset_id: DatasetId) -> Address:
    owner = owner_of(node, session.deployment, Bytes32(dataset_id))
    if owner is None:
        raise unknown(dataset_id)
    return owner


def _require_right(node: Chain, session: SigningSession, signer: Address) -> None:
    """Require that the key belongs to the account that must sign. For a contract account this is not known yet."""
    if signer == session.signer.address:
        return
    if not has_code(node, signer):
        raise session.not_by(signer)
    print_note(
        f"{signer} is a contract: whether it accepts the signature of this key is not known before it is signed."
    )


def _require_publishable(node: Chain, session: SigningSession, statement: Publication) -> None:
    """Require that documents belong to their version, and that none of them is withheld."""
    versions = read_dataset(node, session.deployment, statement.dataset_id, block_at(node)).versions
    if statement.version > len(versions):
        raise NotFound(
            f"The dataset has no version {statement.version}.", hint=f"It has versions 1 to {len(versions)}."
        )
    version = versions[statement.version - 1]
    if not set(statement.documents) <= {version.content_root, version.metadata_hash}:
        raise InvalidInput(
            f"Version {statement.version} has the content root {version.content_root} and the metadata hash "
            f"{version.metadata_hash}, and a document that was given is neither.",
            hint="Give the manifest and metadata that the version was registered with.",
        )
    for document in session.gateway.datasets.publications(statement.dataset_id).items:
        concerned = document.version == statement.version or document.hash in statement.documents
        if concerned and document.state == "withheld":
            raise withheld(document.withheld_for or "")


def _show(
    session: SigningSession, message: Message | DatasetStatement, more: Mapping[str, object], *, as_json: bool
) -> None:
    # A new salt gives a registration another id each time, so the id is left out.
    known = {} if isinstance(message, Registration) else {"datasetId": str(DatasetId(message.subject.id))}
    document = {
        "dryRun": True,
        **known,
        **more,
        "deadline": show_time(message.deadline),
        "signer": str(session.signer.address),
        "chainId": session.deployment.chain_id,
        "contract": str(session.contract_of(message)),
    }
    if as_json:
        print_json(document | {"message": message.to_json()})
        return
    print_line("Dry run: nothing was signed, sent or written.")
    print_fields({name: _text(value) for name, value in document.items() if name != "dryRun"})


def _text(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else value
