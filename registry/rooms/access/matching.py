"""Match the messages of `AccessGrants` with its events."""

from __future__ import annotations

from collections.abc import Sequence

from registry.base.primitives import Address
from registry.ethereum.eip712 import Message
from registry.ethereum.logs import Moment
from registry.rooms.access import events
from registry.rooms.access.events import AccessEvent, AccessGranted, AccessRequested, AccessRevoked
from registry.rooms.access.messages import AccessGrant, AccessMessage, AccessRequest, AccessRevocation
from registry.rooms.access.records import Access, fold
from registry.rooms.protocol import Matching, TopicFilter


def expected_event(message: Message, before: Access | None, at: Moment) -> AccessEvent | None:
    """Return the event that a message leads to; None if it cannot have an effect.

    Args:
        message: The message.
        before: The grantee's access before the event; None before the first one.
        at: The moment of the event. A grant whose start has passed by then starts at that moment.
    """
    epoch, requests = (0, 0) if before is None else (before.epoch, len(before.requests))
    match message:
        case AccessRequest() if message.requests == requests:
            return AccessRequested(
                message.dataset_id,
                message.grantee,
                message.rights,
                message.expires_at,
                requests + 1,
                message.purpose.encode(),
            )
        case AccessGrant() if message.epoch == epoch:
            return AccessGranted(
                message.dataset_id,
                message.grantee,
                message.rights,
                max(message.starts_at, at.timestamp),
                message.expires_at,
                message.terms_hash,
                epoch + 1,
            )
        case AccessRevocation() if message.epoch == epoch:
            return AccessRevoked(message.dataset_id, message.grantee, epoch + 1)
    return None


def named_signer(message: Message) -> Address | None:
    """Return the grantee of a request, who signs it; None for other messages, which the dataset's owner signs."""
    return message.grantee if isinstance(message, AccessRequest) else None


def filters(message: Message) -> Sequence[TopicFilter]:
    """Return the filters for all events of the grantee's access to the dataset."""
    if not isinstance(message, AccessMessage):
        raise TypeError(f"{type(message).__name__} is not a message of access")
    return events.filters(message.subject.id, message.grantee)


MATCHING = Matching(filters, expected_event, fold, named_signer, frozenset({"EpochMismatch", "RequestsMismatch"}))
