"""Check that a message leads to its event and was signed by the authorised account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import coincurve

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Address, Bytes32, keccak256
from registry.ethereum.eip712 import Domain, Message
from registry.evidence.record import EventInContext, main_room, proof_of
from registry.rooms.protocol import Event, Protocols

_SIGNATURE_BYTES = 65
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def recover(digest: Bytes32, signature: bytes) -> Address:
    """Return the account that signed a digest with ECDSA on secp256k1.

    Args:
        digest: The digest.
        signature: r, s and v, 65 bytes, with a low s and v 27 or 28: the only form that the contracts accept.

    Raises:
        VerificationFailed: The signature has another form or is not valid.
    """
    if len(signature) != _SIGNATURE_BYTES or signature[64] not in (27, 28):
        raise VerificationFailed("The signature is not of 65 bytes with 27 or 28 as the last.")
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        raise VerificationFailed("The signature has a high s, which the contracts refuse.")
    try:
        recoverable = signature[:64] + bytes([signature[64] - 27])
        public = coincurve.PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except ValueError as error:
        raise VerificationFailed("The signature is not valid for any key.") from error
    return Address(keccak256(public.format(compressed=False)[1:])[12:])


def message_behind(shown: EventInContext, values: Mapping[str, Any], protocols: Protocols) -> Message:
    """Return the message that led to an event, from its JSON values.

    A bundle does not name the type of the message. It is the type in the event's room that has these members and leads
    to the event.

    Args:
        shown: The event.
        values: The message's values.
        protocols: The rooms.

    Raises:
        InvalidInput: The room has no message with these members, or the values are malformed.
        VerificationFailed: The message leads to another event, or to none. The error names the difference.
    """
    room = protocols.room(shown.scope.room)
    differs: VerificationFailed | None = None
    for kind in room.messages:
        if set(kind.fields()) != set(values):
            continue
        message = kind.parse(values)
        try:
            _require_expected(message, shown, protocols)
        except VerificationFailed as error:
            differs = error
        else:
            return message
    if differs is not None:
        raise differs
    names = ", ".join(list(values)[:20])[:200]
    raise InvalidInput(f"No message of the room {room.name} has exactly the members {names}.")


def require_signed(
    shown: EventInContext, message: Message, signature: bytes, chain_id: int, protocols: Protocols
) -> Address:
    """Require that a message led to an event and was signed by the authorised account.

    Args:
        shown: The event.
        message: The message.
        signature: The signature.
        chain_id: The chain's id.
        protocols: The rooms.

    Raises:
        InvalidInput: The subject of the event was not registered before it.
        VerificationFailed: The message leads to another event or had expired, or another account signed it.

    Returns:
        The signer.
    """
    _require_expected(message, shown, protocols)
    is_beside = proof_of(protocols.room(shown.scope.room)).part.account is not None
    if is_beside and shown.subject_before is None:
        raise InvalidInput(f"A {shown.scope.subject.kind} has no events before its registration.")
    deadline = int(getattr(message, "deadline"))  # noqa: B009 - every message has one, as Message says
    if deadline < shown.at.timestamp:
        raise VerificationFailed(f"The signed message was valid until {deadline}, before the event's block.")
    authorised = protocols.named_signer(message) or _owner(shown, protocols)
    signer = recover(message.digest(Domain(message.CONTRACT, chain_id, shown.located.log.address)), signature)
    if signer != authorised:
        raise VerificationFailed(f"The message was signed by {signer}, not by {authorised}.")
    return signer


def _owner(shown: EventInContext, protocols: Protocols) -> Address:
    owner = proof_of(main_room(protocols)).owner
    if owner is None or shown.subject_before is None:
        raise InvalidInput(f"A {shown.scope.subject.kind} has no owner before its registration.")
    return owner(shown.subject_before)


def _require_expected(message: Message, shown: EventInContext, protocols: Protocols) -> None:
    """Require that a message leads to an event; name the first value that differs."""
    expected = protocols.matching(message).expected_event(message, shown.before, shown.at)
    if expected == shown.event:
        return
    kind, event = type(message).__name__, type(shown.event).__name__
    if expected is None:
        raise VerificationFailed(
            f"The signed message ({kind}) does not follow the state before the event {event}: it has "
            f"{_not_in(shown.event, message)}."
        )
    if type(expected) is not type(shown.event):
        raise VerificationFailed(f"The signed message ({kind}) does not lead to the event {event}.")
    name = _first_difference(expected, shown.event)
    stated, logged = getattr(expected, name), getattr(shown.event, name)
    raise VerificationFailed(f"The signed message has {name} {stated!s:.80}, the event {logged!s:.80}.")


def _not_in(event: Event, message: Message) -> str:
    """Return the values of a message that its event does not have, which refer to the state before it."""
    values = {name: getattr(message, name) for name in type(message).model_fields if name != "deadline"}
    raw = {name: value.encode() if isinstance(value, str) else value for name, value in values.items()}
    names = [name for name, value in raw.items() if getattr(event, name, None) != value]
    return ", ".join(f"{name} {values[name]!s:.80}" for name in names)


def _first_difference(expected: Event, event: Event) -> str:
    names = [field.name for field in fields(event)]  # type: ignore[arg-type]
    return next(name for name in names if getattr(expected, name) != getattr(event, name))
