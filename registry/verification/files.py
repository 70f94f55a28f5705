"""Compare files on disk with registered content."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from registry.base.errors import InvalidInput, VerificationFailed
from registry.base.primitives import Bytes32
from registry.manifest import (
    EVERYTHING,
    STANDARD,
    Entry,
    Manifest,
    Mismatch,
    Selected,
    Selection,
    compare,
    hash_together,
)
from registry.verification.report import WHOLE, Difference, Report, count

MOST_NAMED: Final = 5
"""The most files that a report names among those not compared."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files and folders to compare with a dataset.

    Args:
        paths: The files and folders.
        selection: The rules that decide which files on disk belong to the dataset.
        hash_files: Return the selected files with their hashes.
    """

    paths: Sequence[Path]
    selection: Selection = STANDARD
    hash_files: Callable[[Sequence[Path], Selection], Selected] = hash_together

    @property
    def is_file(self) -> bool:
        """Whether a single path is given and it is not a folder."""
        return len(self.paths) == 1 and not self.paths[0].is_dir()


def compare_files(report: Report, files: Files, root: Bytes32, manifest: Manifest | None) -> Report:
    """Return a report with the comparison of files with a content root.

    Files in the manifest are always hashed, regardless of the ignore rules. Without a manifest, the rules apply unless
    only the whole folder has the content root.

    Args:
        report: The report so far.
        files: The files.
        root: The content root that was registered.
        manifest: The manifest with that root, or None.

    Raises:
        VerificationFailed: The manifest has another root.
        InvalidInput: The files cannot be hashed; or it is a single file, and the manifest lists several files but not
            exactly one with its name.
    """
    kept = files.selection.keeping(entry.path for entry in manifest.entries) if manifest else files.selection
    selected = files.hash_files(files.paths, kept)
    hashed, left_out = selected.manifest, selected.left_out
    if left_out and manifest is None and not _has_root(hashed, root):
        with suppress(InvalidInput):
            whole = files.hash_files(files.paths, EVERYTHING).manifest
            if _has_root(whole, root):
                hashed, left_out = whole, ()
    if left_out:
        names = ", ".join(left_out[:MOST_NAMED])
        more = f", and {len(left_out) - MOST_NAMED} more" if len(left_out) > MOST_NAMED else ""
        report = replace(report, not_compared=(*report.not_compared, *left_out)).without_proof_of(
            f"Anything about files that the ignore rules left out and the dataset does not list: {names}{more}."
        )
    return compare_content(report, hashed, root, manifest, is_file=files.is_file)


def compare_content(
    report: Report, hashed: Manifest, root: Bytes32, manifest: Manifest | None, *, is_file: bool = False
) -> Report:
    """Return a report with the comparison of hashed files with a content root, and with its manifest.

    A folder must be the whole dataset. A single file is compared with the file of the same name in any folder of the
    manifest.

    Args:
        report: The report so far.
        hashed: The files on disk, unsalted.
        root: The content root that was registered.
        manifest: The manifest with that root, or None.
        is_file: Whether a single file is given, not a folder.

    Raises:
        VerificationFailed: The manifest has another root.
        InvalidInput: It is a single file, and the manifest lists several files but not exactly one with its name.
    """
    report = replace(report, content_root=root)
    if manifest is None:
        return _compare_root(report, hashed, root)
    if manifest.root != root:
        raise VerificationFailed(
            f"The manifest has the content root {manifest.root}, but {root} is the registered one.",
            hint="It is the manifest of another dataset or version.",
        )
    step = f"The manifest, {count(len(manifest.entries), 'file')}, has the content root {root}."
    report = report.with_steps(f"{step} So it lists exactly what was registered." if report.record else step)
    if is_file and (len(manifest.entries) > 1 or _named(manifest.entries, hashed.entries[0].path)):
        return _compare_one(report, hashed.entries[0], manifest)
    differences = [_difference(mismatch) for mismatch in compare(manifest, hashed)]
    return report.with_differences(differences).with_steps(
        f"{count(len(hashed.entries), 'file')} hashed here: "
        + (
            f"{count(len(differences), 'difference')} from the manifest."
            if differences
            else f"{_what_agrees(manifest)} are those of the manifest."
        )
    )


def compare_shown(report: Report, files: Files, shown: Sequence[Entry]) -> Report:
    """Return a report with the comparison of the files that a bundle shows. Other files are listed as not compared.

    Raises:
        InvalidInput: The files cannot be hashed; or it is a single file, and the bundle does not show exactly one with
            its name.
    """
    found = files.hash_files(files.paths, EVERYTHING).manifest.entries
    pairs: list[tuple[Entry, Entry | None]]
    if files.is_file:
        pairs = [(the_one_named(shown, found[0].path, "The bundle shows"), found[0])]
    else:
        by_path = {entry.path: entry for entry in found}
        pairs = [(entry, by_path.get(entry.path)) for entry in shown]
    report = report.with_differences(
        Difference(entry.path, entry.sha256.hex(), None if other is None else other.sha256.hex())
        for entry, other in pairs
        if other is None or other.sha256 != entry.sha256
    ).with_steps(f"{count(len(pairs), 'file')} hashed here and compared with what the bundle shows.")
    others = [entry.path for entry in found if entry.path not in {entry.path for entry in shown}]
    if others and not files.is_file:
        named = ", ".join(json.dumps(path, ensure_ascii=False) for path in others[:MOST_NAMED])
        report = report.without_proof_of(
            f"Anything about {len(others)} files here that the bundle does not show and that were not compared: "
            f"{named}{', ...' if len(others) > MOST_NAMED else ''}."
        )
    return report.without_proof_of(
        "Anything about files that the bundle does not show, including a second file with a path that it shows: only "
        "the whole manifest excludes that."
    )


def the_one_named(entries: Sequence[Entry], name: str, lister: str) -> Entry:
    """Return the only file with a name, in any folder.

    Args:
        entries: The files to search.
        name: The name.
        lister: Who lists them, for the error: "The manifest lists".

    Raises:
        InvalidInput: No file or several files have the name.
    """
    named = _named(entries, name)
    if len(named) != 1:
        raise InvalidInput(
            f"{lister} {count(len(named), 'file')} with the name {name!r}, but expected exactly one.",
            hint=f"Of these: {', '.join(entry.path for entry in named or entries)[:200]}. Name the folder for all.",
        )
    return named[0]


def _named(entries: Sequence[Entry], name: str) -> list[Entry]:
    return [entry for entry in entries if entry.path == name or entry.path.endswith(f"/{name}")]


def _compare_one(report: Report, found: Entry, manifest: Manifest) -> Report:
    expected = the_one_named(manifest.entries, found.path, "The manifest lists")
    there = replace(found, path=expected.path)
    differences = [_difference(mismatch) for mismatch in compare(Manifest((expected,)), Manifest((there,)))]
    report = report.with_differences(differences).with_steps(
        "1 file hashed here: "
        + ("it differs from" if differences else "its size and content are those of")
        + f" {expected.path} in the manifest."
    )
    rest = len(manifest.entries) - 1
    return (
        report.without_proof_of(f"Anything about the {rest} files of the dataset that were not given.")
        if rest
        else report
    )


def _compare_root(report: Report, found: Manifest, root: Bytes32) -> Report:
    number = count(len(found.entries), "file")
    if _has_root(found, root):
        return report.with_steps(f"{number} hashed here: they have exactly this content root.")
    return (
        report.with_steps(f"{number} hashed here: their content root is {found.root}.")
        .with_differences([Difference(WHOLE, root.hex(), found.root.hex())])
        .without_proof_of(
            "Which file differs: there is no manifest. For a private dataset, nothing can be determined without "
            "its manifest: --manifest FILE."
        )
    )


def _has_root(found: Manifest, root: Bytes32) -> bool:
    """Return whether files have a content root, either with their sizes or without, as in a list by sha256sum."""
    return root in (found.root, found.without_sizes().root)


def _what_agrees(manifest: Manifest) -> str:
    """Return the properties that a comparison without differences confirms. A list by sha256sum does not have sizes."""
    has_sizes = all(entry.size is not None for entry in manifest.entries)
    return "names, sizes and contents" if has_sizes else "names and contents"


def _difference(mismatch: Mismatch) -> Difference:
    return Difference(mismatch.path, _digest(mismatch.expected), _digest(mismatch.found))


def _digest(entry: Entry | None) -> str | None:
    return None if entry is None else entry.sha256.hex()
