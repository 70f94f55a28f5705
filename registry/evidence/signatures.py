"""The signed message behind an event: that it says what the event says, and that the right one signed it."""

from __future__ import annotations

import coincurve

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Address, Bytes32, keccak256
from registry.ethereum.eip712 import Domain, Message
from registry.evidence.record import Shown
from registry.rooms.access import events as access_events
from registry.rooms.access import messages as access_messages
from registry.rooms.datasets import events as dataset_events
from registry.rooms.datasets import messages as dataset_messages

MESSAGES: dict[type, type[Message]] = {
    dataset_events.Registered: dataset_messages.Registration,
    dataset_events.Revised: dataset_messages.Revision,
    dataset_events.Transferred: dataset_messages.TitleTransfer,
    dataset_events.Withdrawn: dataset_messages.Withdrawal,
    access_events.AccessRequested: access_messages.AccessRequest,
    access_events.AccessGranted: access_messages.AccessGrant,
    access_events.AccessRevoked: access_messages.AccessRevocation,
}
"""Which message leads to which event."""

_SIGNATURE_BYTES = 65
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def recover(digest: Bytes32, signature: bytes) -> Address:
    """Who signed a digest with ECDSA on secp256k1.

    Args:
        digest: What was signed.
        signature: r, s and v, 65 bytes, with a low s and v 27 or 28: the one form that the contracts accept.

    Raises:
        VerificationFailed: It is no signature of that form.
    """
    if len(signature) != _SIGNATURE_BYTES or signature[64] not in (27, 28):
        raise VerificationFailed("The signature is not of 65 bytes with 27 or 28 as the last.")
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        raise VerificationFailed("The signature has a high s, which the contracts refuse.")
    try:
        recoverable = signature[:64] + bytes([signature[64] - 27])
        public = coincurve.PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except ValueError as error:
        raise VerificationFailed("The signature is not one of any key.") from error
    return Address(keccak256(public.format(compressed=False)[1:])[12:])


def require_signed(shown: Shown, message: Message, signature: bytes, domain: Domain) -> Address:
    """Requires that a message led to an event and was signed by the one whose right it is.

    Args:
        shown: The event.
        message: The message, of the kind that leads to such an event.
        signature: The signature.
        domain: The contract that took it.

    Raises:
        VerificationFailed: It says something else, or somebody else signed it.

    Returns:
        The signer.
    """
    stated, needed, signer = _compared(shown, message)
    for name, value in needed.items():
        if stated[name] != value:
            raise VerificationFailed(f"The signed message has {name} {stated[name]!s:.80}, the event {value!s:.80}.")
    deadline = int(getattr(message, "deadline"))  # noqa: B009 - every message has one, as Message says
    if deadline < shown.placed.block.timestamp:
        raise VerificationFailed(f"The signed message was valid until {deadline}, before the event's block.")
    found = recover(message.digest(domain), signature)
    if found != signer:
        raise VerificationFailed(f"The message was signed by {found}, not by {signer}.")
    return signer


def _compared(shown: Shown, message: Message) -> tuple[dict[str, object], dict[str, object], Address]:
    """What the message says, what it must say after the event, and who must have signed it."""
    stated = {name: getattr(message, name) for name in type(message).model_fields}
    event, before = shown.event, shown.before
    if isinstance(event, dataset_events.Registered):
        needed: dict[str, object] = {
            "owner": event.owner,
            "content_root": event.content_root,
            "metadata_hash": event.metadata_hash,
            "uri": event.uri,
            "salt": event.salt,
            "sources": event.sources,
        }
        return _raw(stated), needed, event.owner
    if before is None:
        raise InvalidInput("A dataset has no events before its registration.")
    needed = {"dataset_id": event.dataset_id}
    match event:
        case dataset_events.Revised():
            needed |= {
                "head": before.head,
                "content_root": event.content_root,
                "metadata_hash": event.metadata_hash,
                "uri": event.uri,
                "sources": event.sources,
            }
        case dataset_events.Transferred():
            needed |= {"head": before.head, "to": event.owner}
        case dataset_events.Withdrawn():
            needed |= {"head": before.head, "reason": event.reason}
        case access_events.AccessRequested():
            needed |= {
                "grantee": event.grantee,
                "rights": event.rights,
                "expires_at": event.expires_at,
                "purpose": event.purpose,
                "requests": event.requests - 1,
            }
            return _raw(stated), needed, event.grantee
        case access_events.AccessGranted():
            # A start that had gone by means from the block's time on.
            stated["starts_at"] = max(int(stated["starts_at"]), shown.placed.block.timestamp)
            needed |= {
                "grantee": event.grantee,
                "rights": event.rights,
                "starts_at": event.starts_at,
                "expires_at": event.expires_at,
                "terms_hash": event.terms_hash,
                "epoch": event.epoch - 1,
            }
        case access_events.AccessRevoked():
            needed |= {"grantee": event.grantee, "epoch": event.epoch - 1}
    return _raw(stated), needed, before.owner


def _raw(stated: dict[str, object]) -> dict[str, object]:
    """The message's values as events have them: strings as their bytes."""
    return {name: value.encode() if isinstance(value, str) else value for name, value in stated.items()}
