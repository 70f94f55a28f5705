"""The message that `Notices` takes."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator

from registry.base.subject import Subject
from registry.ethereum.eip712 import AddressField, Bytes32Field, Message, StringField, Uint64Field, at_most_bytes


class Notice(Message):
    """Post a notice; signed by its author."""

    CONTRACT: ClassVar[str] = "Notices"
    FUNCTION: ClassVar[str] = "post"
    PATH: ClassVar[str] = "/v1/notices"

    author: AddressField
    notice_id: Bytes32Field
    text: Annotated[StringField, AfterValidator(at_most_bytes(256))]
    deadline: Uint64Field

    @property
    def subject(self) -> Subject:
        """The notice."""
        return Subject("notice", self.notice_id)
