"""A summary of a version of a dataset: its owner, registration, and whether it is still valid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from registry.base.primitives import Address, Bytes32
from registry.base.times import day_text

if TYPE_CHECKING:  # A report about files alone has no record, and loading what reads one takes long.
    from registry.rooms.datasets.records import Dataset


@dataclass(frozen=True, slots=True)
class Summary:
    """A version of a dataset as of a block. Times are Unix seconds, UTC.

    Args:
        version: The version's number.
        latest_version: The number of the dataset's latest version.
        content_root: The version's content root.
        registrant: The owner of the dataset when the version was registered.
        registered_block: The block of its registration.
        registered_at: The time of that block.
        first_owner: The account that registered the dataset's first version.
        owner: The current owner of the dataset.
        withdrawn_at: When the dataset was withdrawn, or None.
    """

    version: int
    latest_version: int
    content_root: Bytes32
    registrant: Address
    registered_block: int
    registered_at: int
    first_owner: Address
    owner: Address
    withdrawn_at: int | None

    @classmethod
    def of(cls, dataset: Dataset, number: int) -> Self:
        """Return the summary of a version of a dataset."""
        version = dataset.versions[number - 1]
        return cls(
            version=number,
            latest_version=dataset.latest.number,
            content_root=version.content_root,
            registrant=next(title.owner for title in reversed(dataset.titles) if title.since <= version.at),
            registered_block=version.at.block_number,
            registered_at=version.at.timestamp,
            first_owner=dataset.titles[0].owner,
            owner=dataset.owner,
            withdrawn_at=None if dataset.withdrawal is None else dataset.withdrawal.at.timestamp,
        )

    @property
    def is_latest(self) -> bool:
        """Whether it is the latest version."""
        return self.version == self.latest_version

    @property
    def status(self) -> str:
        """Return "active" or "withdrawn"."""
        return "active" if self.withdrawn_at is None else "withdrawn"


def headline(version: int, latest: int, *, is_withdrawn: bool, withdrawn_at: int | None = None) -> str:
    """Return the verdict on what was verified, with what an auditor must not overlook.

    Args:
        version: The version that was verified.
        latest: The latest version.
        is_withdrawn: Whether the dataset is withdrawn.
        withdrawn_at: When it was withdrawn, Unix seconds, UTC; None if that is not known.
    """
    when = "" if withdrawn_at is None else f" ON {day_text(withdrawn_at)}"
    buts = [
        *([f"VERSION {version} OF {latest}"] if version != latest else []),
        *([f"WITHDRAWN{when}"] if is_withdrawn else []),
    ]
    return f"VERIFIED, BUT {' AND '.join(buts)}" if buts else "VERIFIED"
