"""What `Notices` logs."""

from __future__ import annotations

from dataclasses import dataclass

from registry.base.primitives import Address, Bytes32, keccak256
from registry.base.subject import Subject
from registry.ethereum.abi import Reader
from registry.ethereum.logs import Log
from registry.rooms.protocol import Contract

NOTICED = Bytes32(keccak256(b"Noticed(bytes32,address,string)"))


@dataclass(frozen=True, slots=True)
class Noticed:
    """A notice was posted. `text` is raw: it need not be UTF-8."""

    notice_id: Bytes32
    author: Address
    text: bytes

    @property
    def subject(self) -> Subject:
        """The notice."""
        return Subject("notice", self.notice_id)

    @property
    def account(self) -> Address:
        """The author."""
        return self.author


def decode(log: Log) -> Noticed:
    """Return the event in a log."""
    _, notice_id, author = log.topics
    return Noticed(notice_id, Address(author[12:]), Reader(log.data).tail(0))


NOTICES = Contract("Notices", (NOTICED,), decode)
