"""What is on disk, compared with what it should be, and what such a comparison does and does not prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Bytes32
from registry.cli.times import show_time
from registry.evidence.summary import Summary, headline, time_text
from registry.manifest import Entry, Manifest, Mismatch, compare

WHOLE = "."
"""The path of a mismatch of the whole content, where no manifest says which file differs."""

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
"""What a report says of the dataset, where one was named."""

TRUTH = "That the content is true, or that whoever registered it had the right to."
UNCOMPARED = "That any file is what was registered: none was given, so no content was compared."
REGISTRATION = "That anybody registered this manifest, or when: no dataset was named."


@dataclass(frozen=True, slots=True)
class Difference:
    """A path at which the files are not what was registered.

    Args:
        path: The file's path in the dataset, or WHOLE.
        expected: SHA-256 in hex of what was registered; None: nothing was, the file is extra.
        found: SHA-256 in hex of what is there; None: the file is missing.
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
    """Whether the version that a report is about still holds.

    Args:
        version: The version.
        latest: The latest version.
        is_withdrawn: Whether the dataset is withdrawn.
        withdrawn_at: When it was, Unix seconds, UTC; None where that is not known.
        is_complete: Whether it is shown that no later version or withdrawal was left out.
    """

    version: int
    latest: int
    is_withdrawn: bool
    withdrawn_at: int | None = None
    is_complete: bool = True


@dataclass(slots=True)
class Report:
    """What was checked, step by step, what came out, and what was not proven.

    Attributes:
        steps: What was checked and what each check proves, in order.
        not_proven: What nobody may conclude from it.
        differences: Where the files are not what was registered.
        not_compared: What is there, is not in the dataset, and was left out by the ignore rules.
        record: What the chain says of the dataset, by RECORD_FIELDS; empty where none was named.
        standing: Whether the version still holds; None where no dataset was named.
        access: Each grantee's access as a JSON object; None where the report is not about access.
        access_lines: The same for people.
        missed: What was required of the dataset and is not so.
        content_root: What the files were compared with.
        refused: Why an evidence bundle was refused, or empty.
    """

    steps: list[str] = field(default_factory=list)
    not_proven: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    record: Mapping[str, object] = field(default_factory=dict)
    standing: Standing | None = None
    access: list[Mapping[str, object]] | None = None
    access_lines: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    content_root: Bytes32 | None = None
    refused: str = ""

    @property
    def verified(self) -> bool:
        """Whether the files are what was registered, and all holds that was required."""
        return not self.differences and not self.refused and not self.missed

    @property
    def headline(self) -> str:
        """The verdict, with what nobody may overlook."""
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

    def require(self, *, active: bool, latest: bool) -> None:
        """Add what is required of the dataset and is not so, or is not shown.

        Args:
            active: Whether the dataset must not be withdrawn.
            latest: Whether the version must be the latest.
        """
        if self.standing is None:
            return
        if active and self.standing.is_withdrawn:
            at = self.standing.withdrawn_at
            self.missed.append(f"--require-active: it was withdrawn{'' if at is None else f', {time_text(at)}'}.")
        elif active and not self.standing.is_complete:
            self.missed.append("--require-active: the bundle has no state, so a withdrawal may have been left out.")
        if latest and self.standing.version != self.standing.latest:
            self.missed.append(f"--require-latest: version {self.standing.latest} followed {self.standing.version}.")
        elif latest and not self.standing.is_complete:
            self.missed.append("--require-latest: the bundle has no state, so a later version may have been left out.")

    def to_json(self) -> Mapping[str, object]:
        """The report as a JSON object; null where no dataset was named."""
        return {
            "verified": self.verified,
            "headline": self.headline,
            **dict.fromkeys(RECORD_FIELDS),
            **self.record,
            "contentRoot": None if self.content_root is None else str(self.content_root),
            "mismatches": [
                {"path": one.path, "expected": one.expected, "found": one.found} for one in self.differences
            ],
            "notCompared": self.not_compared,
            "access": self.access,
            "requirementsMissed": self.missed,
            "refused": self.refused or None,
            "steps": self.steps,
            "notProven": self.not_proven,
        }


def summary_json(summary: Summary) -> dict[str, object]:
    """Return what a report says of a version, by RECORD_FIELDS."""
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
    """Return who registered a version and when, and who owns the dataset, in sentences."""
    registered = (
        f"{summary.registrant} registered it in block {summary.registered_block}, {time_text(summary.registered_at)}."
    )
    first = "" if summary.first_owner == summary.registrant else f" The first owner was {summary.first_owner}."
    return f"{registered}{first} The owner is {summary.owner}."


def standing_of(summary: Summary, *, is_complete: bool) -> Standing:
    """Return whether a version still holds."""
    return Standing(
        summary.version,
        summary.latest_version,
        summary.withdrawn_at is not None,
        summary.withdrawn_at,
        is_complete,
    )


def check_content(
    found: Manifest, root: Bytes32, manifest: Manifest | None, report: Report, *, is_file: bool = False
) -> None:
    """Compares what is on disk with a content root, and with its manifest where there is one.

    A folder has to be all of the dataset. A file given by itself is compared with the one of its name, wherever that
    stands in the manifest.

    Args:
        found: What is on disk, unsalted.
        root: The content root that was registered.
        manifest: The manifest with that root, or None.
        report: Takes the steps, the differences, and what is not proven.
        is_file: What is on disk is a file given by itself, and no folder.

    Raises:
        VerificationFailed: The manifest has another root.
        InvalidInput: It is a file, and the manifest lists several files and not exactly one of its name.
    """
    report.content_root = root
    if manifest is None:
        _check_root(found, root, report)
        return
    if manifest.root != root:
        raise VerificationFailed(
            f"The manifest has the content root {manifest.root}, but {root} is the registered one.",
            hint="It is the manifest of another dataset or version.",
        )
    step = f"The manifest, {count(len(manifest.entries), 'file')}, has the content root {root}."
    report.steps.append(f"{step} So it lists exactly what was registered." if report.record else step)
    if is_file and (len(manifest.entries) > 1 or _named(manifest.entries, found.entries[0].path)):
        _check_one(found.entries[0], manifest, report)
        return
    report.differences += [_difference(one) for one in compare(manifest, found)]
    report.steps.append(
        f"{count(len(found.entries), 'file')} hashed here: "
        + (
            f"{count(len(report.differences), 'difference')} from the manifest."
            if report.differences
            else f"{_what_agrees(manifest)} are those of the manifest."
        )
    )


def _what_agrees(manifest: Manifest) -> str:
    """What a comparison without differences shows; a list by sha256sum says no sizes."""
    has_sizes = all(entry.size is not None for entry in manifest.entries)
    return "names, sizes and contents" if has_sizes else "names and contents"


def name_what_followed(report: Report, number: int, latest: int, withdrawn: tuple[int, object] | None) -> None:
    """Adds to a report that the version it is about was superseded, or the dataset withdrawn.

    Args:
        report: The report.
        number: The version.
        latest: The latest version.
        withdrawn: When the dataset was withdrawn (Unix seconds, UTC), and the reason; None if it was not.
    """
    if number != latest:
        report.not_proven.append(f"That version {number} still holds: version {latest} followed it.")
    if withdrawn is not None:
        time, reason = withdrawn
        report.not_proven.append(
            f"That the dataset may still be relied on: its owner withdrew it, {time_text(time)}, saying {reason!r}."
        )


def the_one_named(entries: Sequence[Entry], name: str, lister: str) -> Entry:
    """The one file with a name, in whatever folder.

    Args:
        entries: The files to look among.
        name: The name.
        lister: Who lists them, for the error: "The manifest lists".

    Raises:
        InvalidInput: None or several have the name.
    """
    named = _named(entries, name)
    if len(named) != 1:
        raise InvalidInput(
            f"{lister} {count(len(named), 'file')} with the name {name!r}, and not exactly one.",
            hint=f"Of these: {', '.join(entry.path for entry in named or entries)[:200]}. Name the folder for all.",
        )
    return named[0]


def _named(entries: Sequence[Entry], name: str) -> list[Entry]:
    return [entry for entry in entries if entry.path == name or entry.path.endswith(f"/{name}")]


def _check_one(found: Entry, manifest: Manifest, report: Report) -> None:
    expected = the_one_named(manifest.entries, found.path, "The manifest lists")
    there = replace(found, path=expected.path)
    report.differences += [_difference(one) for one in compare(Manifest((expected,)), Manifest((there,)))]
    report.steps.append(
        "1 file hashed here: "
        + ("it differs from" if report.differences else "its size and content are those of")
        + f" {expected.path} in the manifest."
    )
    rest = len(manifest.entries) - 1
    if rest:
        report.not_proven.append(f"Anything of the {rest} files of the dataset that were not given.")


def _check_root(found: Manifest, root: Bytes32, report: Report) -> None:
    # The same files have two forms: with their sizes, and as a list by sha256sum, without.
    if root in (found.root, found.without_sizes().root):
        report.steps.append(f"{count(len(found.entries), 'file')} hashed here: they have exactly this content root.")
        return
    report.steps.append(f"{count(len(found.entries), 'file')} hashed here: their content root is {found.root}.")
    report.differences.append(Difference(WHOLE, root.hex(), found.root.hex()))
    report.not_proven.append(
        "Which file differs: there is no manifest. And where the dataset is private, nothing can be told without its "
        "manifest: --manifest FILE."
    )


def _difference(mismatch: Mismatch) -> Difference:
    expected, found = mismatch.expected, mismatch.found
    return Difference(mismatch.path, _digest(expected), _digest(found))


def _digest(entry: Entry | None) -> str | None:
    return None if entry is None else entry.sha256.hex()


def count(number: int, noun: str) -> str:
    """A number and its noun, in the plural where it is not 1."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
