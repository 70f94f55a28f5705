"""Dry runs: check whether a write would be refused, as far as possible without a signature, and show it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from registry.base.errors import NotFound
from registry.base.primitives import Address
from registry.chain.calls import ECDSA_SIGNATURE_BYTES, calldata, gas_limit, simulate
from registry.chain.client import Chain
from registry.chain.rpc import RpcChain
from registry.cli.output import print_fields, print_json, print_line, print_note
from registry.cli.session import SigningSession
from registry.cli.times import show_time
from registry.ethereum.eip712 import Message, Statement
from registry.relay.authority import has_code, owner_of, required_signer
from registry.rooms.catalogue import ROOMS
from registry.rooms.room import Rooms


def show_message(
    session: SigningSession,
    message: Message,
    fields: Mapping[str, object],
    *,
    as_json: bool,
    shows_subject: bool = True,
    rooms: Rooms = ROOMS,
) -> None:
    """Rehearse a message on the chain, and print what would be signed.

    The call has no signature, and its sender is the account that must sign. The contract needs no signature for a call
    by that account, and checks everything else as for a signed message.

    Args:
        session: The session that would sign it.
        message: The message.
        fields: Further fields by their JSON names.
        as_json: Whether to print JSON.
        shows_subject: Whether to print the id of its subject.
        rooms: The rooms, of which one has the message.

    Raises:
        ContractRefused: The contract would refuse it.
        NotFound: The chain does not have the subject of the message.
        RegistryError: The chain cannot be read.
    """
    with chain_of(session) as node:
        signer = _known(message, required_signer(node, session.deployment, rooms, message))
        call = calldata(message, b"")
        simulate(
            node,
            {
                "from": str(signer),
                "to": str(session.contract_of(message)),
                "gas": hex(gas_limit(message, bytes(ECDSA_SIGNATURE_BYTES), call)),
                "data": f"0x{call.hex()}",
            },
            refusals=rooms.protocols.refusals,
        )
        _require_right(node, session, signer)
    print_draft(session, message, fields, as_json=as_json, shows_subject=shows_subject)


def require_owner(session: SigningSession, statement: Statement, rooms: Rooms = ROOMS) -> None:
    """Require that the owner of a statement's subject can sign with the session's key.

    Args:
        session: The session that would sign it.
        statement: The statement.
        rooms: The rooms, of which one has the statement's subject.

    Raises:
        ContractRefused: The key is not the owner's.
        NotFound: The chain does not have the subject of the statement.
        RegistryError: The chain cannot be read.
    """
    with chain_of(session) as node:
        owner = owner_of(node, session.deployment, rooms, statement.subject)
        _require_right(node, session, _known(statement, owner))


def print_draft(
    session: SigningSession,
    signable: Message | Statement,
    fields: Mapping[str, object],
    *,
    as_json: bool,
    shows_subject: bool = True,
) -> None:
    """Print what would be signed.

    Args:
        session: The session that would sign it.
        signable: The message or statement.
        fields: Further fields by their JSON names.
        as_json: Whether to print JSON.
        shows_subject: Whether to print the id of its subject.
    """
    subject = {f"{signable.subject.kind}Id": str(signable.subject.id)} if shows_subject else {}
    document = {
        "dryRun": True,
        **subject,
        **fields,
        "deadline": show_time(signable.deadline),
        "signer": str(session.signer.address),
        "chainId": session.deployment.chain_id,
        "contract": str(session.contract_of(signable)),
    }
    if as_json:
        print_json(document | {"message": signable.to_json()})
        return
    print_line("Dry run: nothing was signed, sent or written.")
    print_fields({name: _text(value) for name, value in document.items() if name != "dryRun"})


@contextmanager
def chain_of(session: SigningSession) -> Iterator[Chain]:
    """Read the chain at the gateway of a session."""
    node = RpcChain([session.gateway.rpc_url])
    try:
        yield node
    finally:
        node.close()


def _known(signable: Message | Statement, signer: Address | None) -> Address:
    subject = signable.subject
    if signer is None:
        raise NotFound(
            f"There is no {subject.kind} {subject.id}.",
            hint="Check the id; what was registered just now may not be in a block yet.",
        )
    return signer


def _require_right(node: Chain, session: SigningSession, signer: Address) -> None:
    """Require that the key belongs to the account that must sign. For a contract account this is not known yet."""
    if signer == session.signer.address:
        return
    if not has_code(node, signer):
        raise session.not_by(signer)
    print_note(
        f"{signer} is a contract: whether it accepts the signature of this key is not known before it is signed."
    )


def _text(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else value
