"""What is on disk, compared with what it should be, and what such a comparison does and does not prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from registry.cli.times import show_time
from registry.errors import InvalidInput, VerificationFailed
from registry.manifest import Entry, Manifest, Mismatch, compare
from registry.primitives import Bytes32

WHOLE = "."
"""The path of a mismatch of the whole content, where no manifest says which file differs."""

RECORD_FIELDS = (
    "datasetId",
    "version",
    "latestVersion",
    "owner",
    "registeredAt",
    "withdrawn",
    "asOfBlock",
    "asOfBlockHash",
    "node",
)
"""What a report says of the dataset, where one was named."""

TRUTH = "That the content is true, or that whoever registered it had the right to."
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


@dataclass(slots=True)
class Report:
    """What was checked, step by step, what came out, and what was not proven.

    Attributes:
        steps: What was checked and what each check proves, in order.
        not_proven: What nobody may conclude from it.
        differences: Where the files are not what was registered.
        not_compared: What is there, is not in the dataset, and was left out by the ignore rules.
        record: What the chain says of the dataset, by RECORD_FIELDS; empty where none was named.
        content_root: What the files were compared with.
        refused: Why an evidence bundle was refused, or empty.
    """

    steps: list[str] = field(default_factory=list)
    not_proven: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    record: Mapping[str, object] = field(default_factory=dict)
    content_root: Bytes32 | None = None
    refused: str = ""

    @property
    def verified(self) -> bool:
        """Whether the files are what was registered."""
        return not self.differences and not self.refused

    def to_json(self) -> Mapping[str, object]:
        """The report as a JSON object; null where no dataset was named."""
        return {
            "verified": self.verified,
            **dict.fromkeys(RECORD_FIELDS),
            **self.record,
            "contentRoot": None if self.content_root is None else str(self.content_root),
            "mismatches": [
                {"path": one.path, "expected": one.expected, "found": one.found} for one in self.differences
            ],
            "notCompared": self.not_compared,
            "refused": self.refused or None,
            "steps": self.steps,
            "notProven": self.not_proven,
        }


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
            f"That the dataset may still be relied on: its owner withdrew it, {show_time(time)}, saying {reason!r}."
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
