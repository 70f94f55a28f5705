"""Match the messages of `DatasetRegistry` with its events."""

from __future__ import annotations

from collections.abc import Sequence

from registry.base.primitives import Address
from registry.ethereum.eip712 import Message
from registry.ethereum.logs import Moment
from registry.rooms.datasets import events
from registry.rooms.datasets.events import DatasetEvent, Registered, Revised, Transferred, Withdrawn
from registry.rooms.datasets.messages import Registration, Revision, TitleTransfer, Withdrawal
from registry.rooms.datasets.records import Dataset, fold
from registry.rooms.protocol import Matching, TopicFilter


def expected_event(message: Message, before: Dataset | None, at: Moment) -> DatasetEvent | None:
    """Return the event that a message leads to; None if it cannot have an effect.

    Args:
        message: The message.
        before: The dataset before the event; None before its registration.
        at: The moment of the event.
    """
    if isinstance(message, Registration):
        return None if before is not None else _registered(message)
    if before is None:
        return None
    match message:
        case Revision() if message.head == before.head:
            return Revised(
                message.dataset_id,
                before.latest.number + 1,
                message.content_root,
                message.metadata_hash,
                message.uri.encode(),
                message.sources,
            )
        case TitleTransfer() if message.head == before.head:
            return Transferred(message.dataset_id, before.owner, message.to)
        case Withdrawal() if message.head == before.head:
            return Withdrawn(message.dataset_id, message.reason.encode())
    return None


def named_signer(message: Message) -> Address | None:
    """Return the owner that a registration names; None for other messages, which the current owner signs."""
    return message.owner if isinstance(message, Registration) else None


def filters(message: Message) -> Sequence[TopicFilter]:
    """Return the filters for all events of the message's dataset."""
    return events.filters(message.subject.id)


def _registered(message: Registration) -> Registered:
    return Registered(
        message.dataset_id,
        message.owner,
        message.content_root,
        message.metadata_hash,
        message.salt,
        message.uri.encode(),
        message.sources,
    )


MATCHING = Matching(filters, expected_event, fold, named_signer, frozenset({"DatasetExists", "HeadMismatch"}))
