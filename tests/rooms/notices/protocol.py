"""The room of notices, its offline half."""

from __future__ import annotations

from registry.base.errors import InvalidInput
from registry.base.primitives import Address
from registry.ethereum.eip712 import Message
from registry.ethereum.logs import Moment
from registry.ethereum.refusals import Refusal
from registry.rooms.protocol import Matching, RoomProtocol
from tests.rooms.notices.events import NOTICED, NOTICES, Noticed
from tests.rooms.notices.messages import Notice


def named_signer(message: Message) -> Address | None:
    return message.author if isinstance(message, Notice) else None


def expected_event(message: Message, before: Noticed | None, at: Moment) -> Noticed | None:
    if not isinstance(message, Notice) or before is not None:
        return None
    return Noticed(message.notice_id, message.author, message.text.encode())


def fold(before: Noticed | None, event: Noticed, at: Moment) -> Noticed:
    if before is not None:
        raise InvalidInput(f"The notice {event.notice_id} was posted already.")
    return event


PROTOCOL = RoomProtocol(
    name="notices",
    contracts=(NOTICES,),
    messages=(Notice,),
    matching=Matching(
        lambda message: [[NOTICED, message.subject.id]],
        expected_event,
        fold,
        named_signer,
        frozenset({"NoticeExists"}),
    ),
    refusals=(
        Refusal("NoticeExists(bytes32)", ("noticeId",), 409, "The notice {noticeId} was posted.", "Choose another id."),
    ),
)
