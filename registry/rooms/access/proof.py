"""Prove a grantee's access to a dataset by one slot in the storage of `AccessGrants`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from registry.base.errors import VerificationFailed
from registry.base.primitives import Address, Bytes32
from registry.ethereum.abi import left_padded
from registry.ethereum.state import mapping_slot
from registry.evidence.parts import Count, Flag, Part
from registry.evidence.record import Record
from registry.rooms.access.messages import CONTRACT
from registry.rooms.access.records import Access
from registry.rooms.datasets.messages import DATASET
from registry.rooms.proof_adapter import NotProven, ProofAdapter, RecordPart, Texts

GRANTS_SLOT: Final = 2
"""The storage slot of `AccessGrants`' mapping by dataset and grantee."""

_WIDTHS: Final = {"starts_at": 48, "expires_at": 48, "rights": 32, "epoch": 32, "requests": 32, "revoked": 8}
"""The members of the slot with their sizes in bits, the lowest first."""


@dataclass(frozen=True, slots=True)
class GrantSlot:
    """The storage slot of a dataset and a grantee in `AccessGrants`. Times are Unix seconds, UTC."""

    starts_at: int = 0
    expires_at: int = 0
    rights: int = 0
    epoch: int = 0
    requests: int = 0
    revoked: bool = False

    @classmethod
    def of(cls, access: Access | None) -> Self:
        """Return the slot that the contract must have after a grantee's events; None means that there are none."""
        if access is None:
            return cls()
        if not access.grants:
            return cls(requests=len(access.requests))
        grant = access.grants[-1]
        return cls(grant.starts_at, grant.until, grant.rights, access.epoch, len(access.requests), grant.is_revoked)

    @classmethod
    def unpack(cls, word: Bytes32) -> Self:
        """Return the members of the slot's 32 bytes.

        Raises:
            VerificationFailed: The contract cannot have written them.
        """
        bits = int.from_bytes(word, "big")
        values: dict[str, int] = {}
        for name, width in _WIDTHS.items():
            bits, values[name] = bits >> width, bits & ((1 << width) - 1)
        if bits or values["revoked"] > 1:
            raise VerificationFailed(f"AccessGrants cannot have written the slot {word}.")
        revoked = bool(values.pop("revoked"))
        return cls(**values, revoked=revoked)

    def pack(self) -> Bytes32:
        """Return the slot's 32 bytes."""
        bits = shift = 0
        for name, width in _WIDTHS.items():
            bits |= int(getattr(self, name)) << shift
            shift += width
        return Bytes32(bits.to_bytes(32, "big"))


class AccessRecord(Part):
    """What AccessGrants keeps of a grantee at the block of the record; all zero where it keeps nothing.

    `expiresAt` is the time of the revocation where that came first.
    """

    epoch: Count
    expires_at: Count
    grantee: Address
    requests: Count
    revoked: Flag
    rights: Count
    starts_at: Count


def grant_slot(dataset_id: bytes, grantee: Address) -> Bytes32:
    """Return the storage slot of a dataset and a grantee in `AccessGrants`."""
    return mapping_slot(mapping_slot(GRANTS_SLOT.to_bytes(32, "big"), dataset_id), left_padded(grantee))


def access_in(record: Record) -> tuple[AccessRecord, ...]:
    """Return the access of the grantees in a record, ascending by address."""
    return tuple(part for part in record.part(PART.field) if isinstance(part, AccessRecord))


def _slots(subject: Bytes32, account: Address, access: Access | None) -> Mapping[Bytes32, Bytes32]:
    return {grant_slot(subject, account): GrantSlot.of(access).pack()}


def _difference(account: Address, expected: Bytes32, actual: Bytes32) -> str:
    kept, needed = GrantSlot.unpack(actual), GrantSlot.unpack(expected)
    return f"The events of {account} add up to {needed}, but the contract has {kept}."


def _record(account: Address, access: Access | None) -> AccessRecord:
    slot = GrantSlot.of(access)
    return AccessRecord(
        grantee=account,
        starts_at=slot.starts_at,
        expires_at=slot.expires_at,
        rights=slot.rights,
        epoch=slot.epoch,
        requests=slot.requests,
        revoked=slot.revoked,
    )


def _grantee(record: AccessRecord) -> Address:
    return record.grantee


def _limits(accounts: int, _events: Sequence[tuple[Any, int]]) -> Sequence[NotProven]:
    """Return the limit that further grantees may have access."""
    return [NotProven("others", {"count": accounts})]


TEXTS: Final[Texts] = {
    "en": {
        "access": lambda count: f"No grant or revocation was left out for the grantees shown: {count}.",
        "others": lambda count: f"Who {f'other than the {count} named ' if count else ''}has access.",
    },
    "zh": {
        "access": lambda count: f"所列 {count} 位被授权人的授权与撤销均无遗漏。",
        "others": lambda count: f"除所列 {count} 位之外还有谁有访问权。" if count else "谁有访问权。",
    },
}

PART: Final = RecordPart(
    "access",
    AccessRecord,
    _record,
    _grantee,
    "AccessGrants is named if the bundle shows access.",
)

PROOF: Final = ProofAdapter(
    contract=CONTRACT,
    kind=DATASET,
    slots=_slots,
    difference=_difference,
    part=PART,
    limits=_limits,
    texts=TEXTS,
)
