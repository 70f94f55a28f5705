"""Dry runs: check whether a write would be refused, as far as possible without a signature, and show it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from registry.base.errors import NotFound, RegistryError
from registry.base.primitives import ZERO_ADDRESS, Address
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
    by that account, and checks everything else as for a signed message. Without a subject on the chain no account must
    sign, and the contract refuses the call of any sender with its own error.

    Args:
        session: The session that would sign it.
        message: The message.
        fields: Further fields by their JSON names.
        as_json: Whether to print JSON.
        shows_subject: Whether to print the id of its subject.
        rooms: The rooms, of which one has the message.

    Raises:
        ContractRefused: The contract would refuse it.
        NotFound: The chain does not have the subject of the message, and the contract did not refuse it.
        RegistryError: The chain cannot be read.
    """
    with chain_of(session) as node:
        signer = required_signer(node, session.deployment, rooms, message)
        call = calldata(message, b"")
        simulate(
            node,
            {
                "from": str(signer or ZERO_ADDRESS),
                "to": str(session.contract_of(message)),
                "gas": hex(gas_limit(message, bytes(ECDSA_SIGNATURE_BYTES), call)),
                "data": f"0x{call.hex()}",
            },
            refusals=rooms.protocols.refusals,
        )
        if signer is None:
            raise NotFound(f"There is no {message.subject.kind} {message.subject.id}.", hint="Check the id.")
        _require_right(node, session, signer)
    _print_draft(session, message, fields, as_json=as_json, shows_subject=shows_subject)


def show_statement(
    session: SigningSession,
    statement: Statement,
    fields: Mapping[str, object],
    *,
    unknown: RegistryError,
    as_json: bool,
    rooms: Rooms = ROOMS,
) -> None:
    """Check that the owner of a statement's subject can sign with the session's key, and print what would be signed.

    Args:
        session: The session that would sign it.
        statement: The statement.
        fields: Further fields by their JSON names.
        unknown: The error if the chain does not have the subject of the statement.
        as_json: Whether to print JSON.
        rooms: The rooms, of which one has the statement's subject.

    Raises:
        ContractRefused: The key is not the owner's.
        RegistryError: The chain does not have the subject (`unknown`), or it cannot be read.
    """
    with chain_of(session) as node:
        owner = owner_of(node, session.deployment, rooms, statement.subject)
        if owner is None:
            raise unknown
        _require_right(node, session, owner)
    _print_draft(session, statement, fields, as_json=as_json)


def _print_draft(
    session: SigningSession,
    signable: Message | Statement,
    fields: Mapping[str, object],
    *,
    as_json: bool,
    shows_subject: bool = True,
) -> None:
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
