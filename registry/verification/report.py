"""The report of a verification: its steps, comparisons and limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from registry.base.primitives import Bytes32
from registry.base.times import show_time, time_text
from registry.rooms.datasets.summary import Summary, headline

if TYPE_CHECKING:  # A comparison with a manifest alone does not need the evidence package.
    from registry.evidence.steps import Step
    from registry.evidence.verify import Verified

WHOLE = "."
"""The path of a difference of the whole content, if there is no manifest to tell which file differs."""

RECORD_FIELDS = (
    "datasetId",
    "version",
    "latestVersion",
    "owner",
    "registeredAt",
    "registeredBy",
    "firstOwner",
    "status",
    "withdrawn",
    "withdrawnAt",
    "isLatest",
    "asOfBlock",
    "asOfBlockHash",
    "node",
)
"""The members of a report about the dataset, if one was given."""

TRUTH_OF_CONTENT = "That the content is true, or that the registrant had the right to register it."
UNCOMPARED = "That any file is what was registered: none was given, so no content was compared."
REGISTRATION = "That this manifest was registered, or when: no dataset was given."


@dataclass(frozen=True, slots=True)
class Difference:
    """A path at which the files differ from what was registered.

    Args:
        path: The file's path in the dataset, or WHOLE.
        expected: SHA-256 in hex of the registered file; None if the file is extra.
        found: SHA-256 in hex of the file on disk; None if the file is missing.
    """

    path: str
    expected: str | None
    found: str | None

    def __str__(self) -> str:
        if self.expected is None:
            return f"{self.path}: extra, it is not in the dataset"
        if self.found is None:
            return f"{self.path}: missing"
        return f"{self.path}: changed, expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing of the version in a report: whether it is the latest, and whether the dataset is withdrawn.

    Args:
        version: The version.
        latest: The latest version.
        is_withdrawn: Whether the dataset is withdrawn.
        withdrawn_at: When it was withdrawn, Unix seconds, UTC; None if that is not known.
        is_complete: Whether it is proven that no later version or withdrawal was left out.
    """

    version: int
    latest: int
    is_withdrawn: bool
    withdrawn_at: int | None = None
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a verification.

    Args:
        steps: The checks in order, each with what it proves.
        not_proven: The limits: what is not proven.
        differences: The differences of the files from the registered content.
        not_compared: Files on disk that are not in the dataset and were left out by the ignore rules.
        record: The dataset by RECORD_FIELDS; empty if none was given.
        standing: The standing of the version; None if no dataset was given.
        access: Each grantee's access as a JSON object; None if the report is not about access.
        access_lines: The same as text.
        missed: The requirements that are not met.
        content_root: The content root that the files were compared with.
        refused: Why the evidence was refused; empty if it was not.
        failed_step: The step at which it was refused, None if it was not; `refusal_text` in `registry.evidence.texts`
            explains it in other languages.
        evidence: The verified content of a bundle, if there is one; its steps and limits have texts in other
            languages.
    """

    steps: tuple[str, ...] = ()
    not_proven: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    not_compared: tuple[str, ...] = ()
    record: Mapping[str, object] = field(default_factory=dict)
    standing: Standing | None = None
    access: tuple[Mapping[str, object], ...] | None = None
    access_lines: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    content_root: Bytes32 | None = None
    refused: str = ""
    failed_step: Step | None = None
    evidence: Verified | None = None

    def with_steps(self, *steps: str) -> Self:
        """Return the report with further steps."""
        return replace(self, steps=(*self.steps, *steps))

    def without_proof_of(self, *limits: str) -> Self:
        """Return the report with further limits."""
        return replace(self, not_proven=(*self.not_proven, *limits))

    def with_differences(self, differences: Iterable[Difference]) -> Self:
        """Return the report with further differences."""
        return replace(self, differences=(*self.differences, *differences))

    @property
    def verified(self) -> bool:
        """Whether the files have the registered content and every requirement is met."""
        return not self.differences and not self.refused and not self.missed

    @property
    def headline(self) -> str:
        """The verdict with its warnings."""
        if self.refused:
            return "EVIDENCE REFUSED"
        if self.differences:
            return "DIFFERENT"
        if self.missed:
            return "NOT ACCEPTED"
        if self.standing is None:
            return "VERIFIED"
        return headline(
            self.standing.version,
            self.standing.latest,
            is_withdrawn=self.standing.is_withdrawn,
            withdrawn_at=self.standing.withdrawn_at,
        )

    def requiring(self, *, active: bool, latest: bool) -> Self:
        """Return the report with the requirements that are not met, or not proven to be met.

        Args:
            active: Whether the dataset must not be withdrawn.
            latest: Whether the version must be the latest.
        """
        if self.standing is None:
            return self
        standing, missed = self.standing, list(self.missed)
        if active and standing.is_withdrawn:
            at = standing.withdrawn_at
            missed.append(f"--require-active: it was withdrawn{'' if at is None else f', {time_text(at)}'}.")
        elif active and not standing.is_complete:
            missed.append("--require-active: the bundle has no state, so a withdrawal may have been left out.")
        if latest and standing.version != standing.latest:
            missed.append(f"--require-latest: version {standing.latest} followed {standing.version}.")
        elif latest and not standing.is_complete:
            missed.append("--require-latest: the bundle has no state, so a later version may have been left out.")
        return replace(self, missed=tuple(missed))

    def to_json(self) -> Mapping[str, object]:
        """Return the report as a JSON object; members about the dataset are null if none was given."""
        return {
            "verified": self.verified,
            "headline": self.headline,
            **dict.fromkeys(RECORD_FIELDS),
            **self.record,
            "contentRoot": None if self.content_root is None else str(self.content_root),
            "mismatches": [
                {"path": one.path, "expected": one.expected, "found": one.found} for one in self.differences
            ],
            "notCompared": list(self.not_compared),
            "access": None if self.access is None else list(self.access),
            "requirementsMissed": list(self.missed),
            "refused": self.refused or None,
            "steps": list(self.steps),
            "notProven": list(self.not_proven),
        }


def summary_json(summary: Summary) -> dict[str, object]:
    """Return the record of a version, by RECORD_FIELDS."""
    return {
        "version": summary.version,
        "latestVersion": summary.latest_version,
        "isLatest": summary.is_latest,
        "owner": str(summary.owner),
        "firstOwner": str(summary.first_owner),
        "registeredBy": str(summary.registrant),
        "registeredAt": show_time(summary.registered_at),
        "status": summary.status,
        "withdrawn": summary.withdrawn_at is not None,
        "withdrawnAt": None if summary.withdrawn_at is None else show_time(summary.withdrawn_at),
    }


def summary_text(summary: Summary) -> str:
    """Return sentences that state who registered a version and when, and who owns the dataset."""
    registered = (
        f"{summary.registrant} registered it in block {summary.registered_block}, {time_text(summary.registered_at)}."
    )
    first = "" if summary.first_owner == summary.registrant else f" The first owner was {summary.first_owner}."
    return f"{registered}{first} The owner is {summary.owner}."


def standing_of(summary: Summary, *, is_complete: bool) -> Standing:
    """Return the standing of a version."""
    return Standing(
        summary.version,
        summary.latest_version,
        summary.withdrawn_at is not None,
        summary.withdrawn_at,
        is_complete,
    )


def what_followed(number: int, latest: int, withdrawn: tuple[int, object] | None) -> tuple[str, ...]:
    """Return the limits that a version was superseded or the dataset withdrawn, if so.

    Args:
        number: The version.
        latest: The latest version.
        withdrawn: When the dataset was withdrawn (Unix seconds, UTC), and the reason; None if it was not withdrawn.
    """
    limits = []
    if number != latest:
        limits.append(f"That version {number} still holds: version {latest} followed it.")
    if withdrawn is not None:
        time, reason = withdrawn
        limits.append(
            f"That the dataset may still be relied on: its owner withdrew it, {time_text(time)}, saying {reason!r}."
        )
    return tuple(limits)


def count(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural unless the number is 1."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
