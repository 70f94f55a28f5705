"""What is registered: the manifest of files, and the metadata, from what the command line gives."""

from __future__ import annotations

import codecs
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry.base.canonical import canonical_json, read_json
from registry.base.errors import InvalidInput
from registry.base.lazy import lazy
from registry.cli.output import hashing_bar, print_note
from registry.manifest import (
    EVERYTHING,
    FORMAT,
    STANDARD,
    Links,
    Manifest,
    Selected,
    Selection,
    check_names,
    from_checksums,
    hash_selected,
    hash_together,
)
from registry.manifest.entry import SALT_BYTES

if TYPE_CHECKING:
    from registry.verification import files
else:  # What registers files needs no verification.
    files = lazy("registry.verification.files")

LEFT_OUT = "leftOut"
"""The member of the metadata that says what was left out."""

SHOWN_NAMES = 5


@dataclass(frozen=True, slots=True)
class Content:
    """Where the content of a version comes from, and where its manifest goes.

    Args:
        paths: The files and folders to hash, or none.
        listed: A list to take in their place, or None: a manifest, or a list of checksums.
        private: Whether to salt the entries and keep the manifest here.
        manifest_file: Where to write the manifest, or None.
        selection: Which files of a folder belong to the dataset.
    """

    paths: Sequence[Path]
    listed: Path | None
    private: bool
    manifest_file: Path | None
    selection: Selection = field(default_factory=Selection)

    def check(self) -> None:
        """Checks, before any work is done, that the options fit together.

        Raises:
            InvalidInput: They do not.
        """
        if bool(self.paths) == (self.listed is not None):
            raise InvalidInput("Give either the PATH of each file or folder, or a list of hashes by --list FILE.")
        check_names(self.paths)
        file = self.manifest_file
        if file is None:
            if self.private:
                raise InvalidInput(
                    "A private dataset can be verified only with its manifest, which holds the salts.",
                    hint="Say where to keep it: --manifest FILE.",
                )
            return
        if os.path.lexists(file):
            raise InvalidInput(
                f"{str(file)!r} exists already, and a manifest replaces nothing.",
                hint="Choose another. It may be that of a try that was refused; keep it until you know.",
            )
        if any(path.resolve() in file.resolve().parents for path in self.paths):
            raise InvalidInput(
                f"{str(file)!r} lies in the dataset, and would be a part of it the next time.", hint="Put it elsewhere."
            )

    def selected(self) -> Selected:
        """Hash the files, or read the list.

        Raises:
            InvalidInput: As `registry.manifest.hash_together` and `from_checksums` do.
        """
        if self.listed is not None:
            manifest = read_list(self.listed)
            return Selected(manifest.salted() if self.private and not manifest.is_private else manifest)
        with hashing_bar(_subject(self.paths)) as progress:
            selected = hash_together(self.paths, self.selection, private=self.private, progress=progress)
        if selected.left_out:
            print_note(f"{_left_out(selected)} left out: {_first(selected.left_out)}.")
        return selected

    def name(self) -> str:
        """Return the name of a dataset that is given no other: those of the files and folders, or of the list."""
        paths = self.paths or [self.listed or Path()]
        return _first([path.resolve().name for path in paths])

    def keep(self, manifest: Manifest) -> None:
        """Writes the manifest where it is to be kept.

        Raises:
            InvalidInput: It cannot be written.
        """
        if self.manifest_file is None:
            return
        _write_new(self.manifest_file, manifest.to_json(), 0o600 if manifest.is_private else 0o666, "The manifest")


@dataclass(frozen=True, slots=True)
class Kept:
    """Metadata that is not published: salted, so that nobody can guess it, and kept in a file.

    Args:
        file: Where it is kept, or None where it is published.
        no_publish: Whether nothing is published.
    """

    file: Path | None
    no_publish: bool

    def check(self) -> None:
        """Check, before any work is done, that the options fit together.

        Raises:
            InvalidInput: They do not.
        """
        if self.no_publish and self.file is None:
            raise InvalidInput(
                "Metadata that is not published gets a salt, and only whoever has it can show it later.",
                hint="Say where to keep it: --keep-metadata FILE.",
            )
        if self.file is None:
            return
        if not self.no_publish:
            raise InvalidInput("--keep-metadata goes with --no-publish.", hint="Published metadata is at the gateway.")
        if os.path.lexists(self.file):
            raise InvalidInput(f"{str(self.file)!r} exists already, and is not replaced.", hint="Choose another.")

    def salted(self, metadata: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the metadata, with 16 random bytes as its member `salt` where it is not published."""
        return {**metadata, "salt": secrets.token_hex(SALT_BYTES)} if self.no_publish else metadata

    def keep(self, metadata: Mapping[str, Any]) -> None:
        """Write the metadata, readable by its owner alone, where it is to be kept.

        Raises:
            InvalidInput: It cannot be written.
        """
        if self.file is not None:
            _write_new(self.file, canonical_json(metadata).decode() + "\n", 0o600, "The metadata")


def selection_of(excludes: Sequence[str] | None, links: str) -> Selection:
    """Return the selection that `--exclude` and `--links` describe.

    Raises:
        InvalidInput: The rule for links is unknown, or a pattern cannot be read.
    """
    if links not in set(Links):
        raise InvalidInput(f"--links is one of {', '.join(Links)}; got {links[:40]!r}.")
    selection = Selection(patterns=tuple(excludes or ()), links=Links(links))
    selection.rules(())  # A wrong pattern is refused before anything else is done.
    return selection


def hashed(*paths: Path) -> Manifest:
    """Return the manifest of files, and of folders with all that is in them, with a progress bar.

    Raises:
        InvalidInput: As `registry.manifest.hash_together` does.
    """
    with hashing_bar(_subject(paths)) as progress:
        return hash_together(paths, EVERYTHING, progress=progress).manifest


def hashed_ways(path: Path) -> list[Manifest]:
    """Return the manifests that something on disk can have been registered with: by the ignore rules, and as a whole.

    Raises:
        InvalidInput: As `registry.manifest.hash_selected` does.
    """
    with hashing_bar(str(path)) as progress:
        selected = hash_selected(path, STANDARD, progress=progress)
    found = [selected.manifest]
    if selected.left_out:
        with suppress(InvalidInput):  # What the rules leave out may be no files, or change all the time.
            found.append(hashed(path))
    return found


def files_of(paths: Sequence[Path], selection: Selection = STANDARD) -> files.Files:
    """Return files to verify, which are hashed with a progress bar."""
    return files.Files(paths, selection, _hash_with_bar)


def _hash_with_bar(paths: Sequence[Path], selection: Selection) -> Selected:
    with hashing_bar(_subject(paths)) as progress:
        return hash_together(paths, selection, progress=progress)


def note_left_out(
    metadata: Mapping[str, Any], selected: Selected, selection: Selection, *, private: bool
) -> Mapping[str, Any]:
    """Return metadata that says by which rules files were left out, and how many; of private datasets it says nothing.

    It stands in the metadata because `tdr-manifest/1` refuses every member that it does not define.
    """
    if private or not selected.left_out:
        return metadata
    told = {"patterns": list(selected.patterns), "links": selection.links.value, "count": len(selected.left_out)}
    return {**metadata, LEFT_OUT: told}


def _subject(paths: Sequence[Path]) -> str:
    """Return what is hashed, for the progress bar."""
    return str(paths[0]) if len(paths) == 1 else f"{len(paths)} paths"


def _left_out(selected: Selected) -> str:
    number = len(selected.left_out)
    return f"{number} item{'' if number == 1 else 's'}"


def _first(names: Sequence[str]) -> str:
    more = f", and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def read_list(file: Path) -> Manifest:
    """Return the manifest that a file holds, or that of a list of checksums.

    Raises:
        InvalidInput: It holds neither.
    """
    text = read_text(file).removeprefix("\ufeff")  # Windows editors begin files in UTF-8 with a byte order mark.
    return Manifest.parse(text) if text.lstrip()[:1] == "{" else from_checksums(text)


def read_text(file: Path) -> str:
    """Return a file's text, its line ends as they are.

    Raises:
        InvalidInput: It cannot be read, or is not UTF-8.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{str(file)!r} cannot be read: {error.strerror}.") from error
    if (encoding := _utf_16(content)) is not None:
        raise InvalidInput(
            f"{str(file)!r} is text in {encoding}, but UTF-8 is expected.",
            hint=f"Convert it: `iconv -f {encoding} -t UTF-8 FILE > NEW`.",
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{str(file)!r} is not text in UTF-8: {error}.") from error


def _utf_16(content: bytes) -> str | None:
    """Return the name of the UTF-16 form that a text is in: by its byte order mark, or by the NULs of its beginning."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    match [byte == 0 for byte in content[:4]]:
        case [False, True, False, True]:
            return "UTF-16LE"
        case [True, False, True, False]:
            return "UTF-16BE"
    return None


def metadata_of(
    base: Mapping[str, Any],
    file: Path | None,
    *,
    name: str | None,
    description: str | None,
    license_name: str | None,
    keywords: Sequence[str],
) -> Mapping[str, Any]:
    """The metadata of a version.

    Args:
        base: What holds where nothing else is said.
        file: A JSON object that takes its place as a whole, or None.
        name: Replaces the name, as the others do theirs, where it is given.
        description: In plain words.
        license_name: Such as an SPDX identifier.
        keywords: In order.

    Raises:
        InvalidInput: The file holds no JSON object.
    """
    if file is not None:
        document = read_json(read_text(file))
        if not isinstance(document, dict):
            raise InvalidInput(f"The metadata in {str(file)!r} has to be a JSON object, but it is another JSON value.")
        base = document
    given = {"name": name, "description": description, "license": license_name, "keywords": list(keywords) or None}
    return {**base, **{field: value for field, value in given.items() if value is not None}}


def _write_new(path: Path, text: str, mode: int, what: str) -> None:
    """Write a file that must not exist yet, durably."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InvalidInput(f"{what} cannot be written to {str(path)!r}: {error.strerror}.") from error


def is_manifest(text: str) -> bool:
    """Whether a text looks like a manifest rather than any other file."""
    return text.lstrip()[:1] == "{" and FORMAT in text[:200]
