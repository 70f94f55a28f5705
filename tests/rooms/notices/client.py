"""The room of notices in the client."""

from __future__ import annotations

from registry.base.primitives import Bytes32
from registry.sdk.exchange import Operation, ask
from registry.sdk.methods import AnyClient_co, Method, RoomClient
from registry.sdk.models.result import Result
from registry.sdk.operations.parts import get
from tests.rooms.notices.messages import Notice


class PostedNotice(Result):
    """A notice.

    Attributes:
        text: Its text.
    """

    text: str


def notice(notice_id: Bytes32) -> Operation[PostedNotice]:
    """Read a notice."""
    return get(PostedNotice, f"{Notice.PATH}/{notice_id}")


class Notices(RoomClient[AnyClient_co]):
    """The notices of a gateway."""

    get = Method(notice, ask)
