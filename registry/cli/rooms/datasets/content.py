"""The content of a version, from the command line: its manifest of files, and its metadata."""

from __future__ import annotations

import codecs
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry.base.canonical import canonical_json, metadata_hash, read_json
from registry.base.errors import InvalidInput
from registry.base.lazy import lazy
from registry.base.primitives import ZERO_BYTES32, Bytes32
from registry.cli.output import hashing_bar, print_note
from registry.manifest import (
    EVERYTHING,
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
else:  # Registering files does not need the modules of verification.
    files = lazy("registry.verification.files")

LEFT_OUT = "leftOut"
"""The member of the metadata that describes the files left out."""

SHOWN_NAMES = 5


@dataclass(frozen=True, slots=True)
class Version:
    """A version that is hashed, and ready to be signed.

    Args:
        selected: Its manifest, and what was left out.
        metadata: Its metadata; None: it has none.
    """

    selected: Selected
    metadata: Mapping[str, Any] | None

    @property
    def manifest(self) -> Manifest:
        """The manifest, with salts if it is private."""
        return self.selected.manifest

    @property
    def metadata_hash(self) -> Bytes32:
        """The hash of the metadata; zero without metadata."""
        return ZERO_BYTES32 if self.metadata is None else metadata_hash(self.metadata)


@dataclass(frozen=True, slots=True)
class Content:
    """The sources of a version's content, and where manifest and metadata are kept.

    Args:
        paths: The files and folders to hash, or none.
        listed: A manifest or a list of checksums to use instead of files, or None.
        private: Whether to salt the entries and not publish the manifest.
        manifest_file: The file to write the manifest to, or None.
        selection: The rules that decide which files of a folder belong to the dataset.
        metadata_file: Where to write metadata that is not published; None if it is published.
        no_publish: Whether nothing is published.
    """

    paths: Sequence[Path]
    listed: Path | None
    private: bool
    manifest_file: Path | None
    selection: Selection
    metadata_file: Path | None = None
    no_publish: bool = False

    def check(self) -> None:
        """Check, before any work is done, that the options fit together.

        Raises:
            InvalidInput: They contradict each other.
        """
        if bool(self.paths) == (self.listed is not None):
            raise InvalidInput("Give either the PATH of each file or folder, or a list of hashes by --list FILE.")
        check_names(self.paths)
        self._check_manifest_file()
        self._check_metadata_file()

    def _check_manifest_file(self) -> None:
        file = self.manifest_file
        if file is None:
            if self.private:
                raise InvalidInput(
                    "A private dataset can be verified only with its manifest, which holds the salts.",
                    hint="Give a file to keep it in: --manifest FILE.",
                )
            return
        if os.path.lexists(file):
            raise InvalidInput(
                f"{str(file)!r} already exists, and manifests do not replace files.",
                hint="Choose another. It may belong to an earlier attempt: keep it until you know its outcome.",
            )
        if any(path.resolve() in file.resolve().parents for path in self.paths):
            raise InvalidInput(
                f"{str(file)!r} is inside the dataset, and would become a part of it the next time.",
                hint="Choose a file outside it.",
            )

    def _check_metadata_file(self) -> None:
        file = self.metadata_file
        if self.no_publish and file is None:
            raise InvalidInput(
                "Metadata that is not published gets a salt, which is needed to show the metadata later.",
                hint="Give a file to keep it in: --keep-metadata FILE.",
            )
        if file is None:
            return
        if not self.no_publish:
            raise InvalidInput("--keep-metadata goes with --no-publish.", hint="Published metadata is at the gateway.")
        if os.path.lexists(file):
            raise InvalidInput(f"{str(file)!r} already exists, and is not replaced.", hint="Choose another.")

    def name(self) -> str:
        """Return the default name of the dataset: the names of the files and folders, or of the list."""
        paths = self.paths or [self.listed or Path()]
        return _first([path.resolve().name for path in paths])

    def salted(self, metadata: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the metadata; if it is not published, with 16 random bytes as `salt`, so that it cannot be guessed."""
        return {**metadata, "salt": secrets.token_hex(SALT_BYTES)} if self.no_publish else metadata

    def version(self, metadata: Mapping[str, Any] | None) -> Version:
        """Hash the files, or read the list, and return the version.

        Args:
            metadata: Its metadata. The rules by which files were left out, and how many, are added to it, unless the
                dataset is private.

        Raises:
            InvalidInput: As `registry.manifest.hash_together` and `from_checksums` do.
        """
        selected = self._selected()
        if selected.left_out and not self.private:
            # It is in the metadata because `tdr-manifest/1` refuses every member that it does not define.
            rules = {"patterns": list(selected.patterns), "links": self.selection.links.value}
            metadata = {**(metadata or {}), LEFT_OUT: {**rules, "count": len(selected.left_out)}}
        return Version(selected, metadata)

    def _selected(self) -> Selected:
        if self.listed is not None:
            manifest = read_list(self.listed)
            return Selected(manifest.salted() if self.private and not manifest.is_private else manifest)
        with hashing_bar(_subject(self.paths)) as progress:
            selected = hash_together(self.paths, self.selection, private=self.private, progress=progress)
        if selected.left_out:
            print_note(f"{_left_out(selected)} left out: {_first(selected.left_out)}.")
        return selected

    def published(self, version: Version) -> dict[str, Any]:
        """Return the documents of a version that are made public: `metadata` and `manifest`, each only if it is."""
        documents = {
            "metadata": version.metadata,
            "manifest": None if version.manifest.is_private else version.manifest,
        }
        return {} if self.no_publish else {name: it for name, it in documents.items() if it is not None}

    def keep(self, version: Version) -> None:
        """Write the manifest, and metadata that is not published, to their files.

        Raises:
            InvalidInput: One of them cannot be written.
        """
        manifest = version.manifest
        if self.manifest_file is not None:
            mode = 0o600 if manifest.is_private else 0o666
            _write_new(self.manifest_file, manifest.to_json(), mode, "The manifest")
        if self.metadata_file is not None:
            _write_new(
                self.metadata_file, canonical_json(version.metadata or {}).decode() + "\n", 0o600, "The metadata"
            )


def selection_of(excludes: Sequence[str] | None, links: str) -> Selection:
    """Return the selection that `--exclude` and `--links` describe.

    Raises:
        InvalidInput: The rule for links is unknown, or a pattern is malformed.
    """
    if links not in set(Links):
        raise InvalidInput(f"--links is one of {', '.join(Links)}; got {links[:40]!r}.")
    selection = Selection(patterns=tuple(excludes or ()), links=Links(links))
    selection.rules(())  # A malformed pattern is refused before anything else is done.
    return selection


def hashed(*paths: Path) -> Manifest:
    """Return the manifest of files and of folders with their contents; show a progress bar.

    Raises:
        InvalidInput: As `registry.manifest.hash_together` does.
    """
    with hashing_bar(_subject(paths)) as progress:
        return hash_together(paths, EVERYTHING, progress=progress).manifest


def hashed_ways(path: Path) -> list[Manifest]:
    """Return the manifests with which a path may have been registered: by the ignore rules, and with all files.

    Raises:
        InvalidInput: As `registry.manifest.hash_selected` does.
    """
    with hashing_bar(str(path)) as progress:
        selected = hash_selected(path, STANDARD, progress=progress)
    manifests = [selected.manifest]
    if selected.left_out:
        # Paths that the rules leave out may not be regular files, or may change all the time.
        with suppress(InvalidInput):
            manifests.append(hashed(path))
    return manifests


def files_of(paths: Sequence[Path], selection: Selection = STANDARD) -> files.Files:
    """Return files to verify. Hashing them shows a progress bar."""
    return files.Files(paths, selection, _hash_with_bar)


def _hash_with_bar(paths: Sequence[Path], selection: Selection) -> Selected:
    with hashing_bar(_subject(paths)) as progress:
        return hash_together(paths, selection, progress=progress)


def _subject(paths: Sequence[Path]) -> str:
    """Return the text of the progress bar."""
    return str(paths[0]) if len(paths) == 1 else f"{len(paths)} paths"


def _left_out(selected: Selected) -> str:
    number = len(selected.left_out)
    return f"{number} item{'' if number == 1 else 's'}"


def _first(names: Sequence[str]) -> str:
    more = f", and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def read_list(file: Path) -> Manifest:
    """Return the manifest in a file, or the manifest of a list of checksums.

    Raises:
        InvalidInput: The file contains neither.
    """
    # Some editors on Windows write a byte order mark at the beginning of files in UTF-8.
    text = read_text(file).removeprefix("\ufeff")
    return Manifest.parse(text) if text.lstrip()[:1] == "{" else from_checksums(text)


def read_text(file: Path) -> str:
    """Return a file's text with its line ends unchanged.

    Raises:
        InvalidInput: The file cannot be read, or is not UTF-8.
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


def read_object(file: Path, what: str) -> dict[str, Any]:
    """Return the JSON object in a file.

    Args:
        file: The file.
        what: What it should contain, for the error.

    Raises:
        InvalidInput: It cannot be read, or contains no JSON object.
    """
    document = read_json(read_text(file))
    if not isinstance(document, dict):
        raise InvalidInput(f"The {what} in {str(file)!r} must be a JSON object, but it is another JSON value.")
    return document


def _utf_16(content: bytes) -> str | None:
    """Return the UTF-16 encoding of a text by its byte order mark or the NULs at its beginning, or None."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    match [byte == 0 for byte in content[:4]]:
        case [False, True, False, True]:
            return "UTF-16LE"
        case [True, False, True, False]:
            return "UTF-16BE"
    return None


def metadata_of(base: Mapping[str, Any], file: Path | None, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the metadata of a version.

    Args:
        base: The metadata without any option.
        file: A file with a JSON object that replaces `base`, or None.
        fields: Fields that replace those of the same name. None and empty lists are left out.

    Raises:
        InvalidInput: The file cannot be read, or contains no JSON object.
    """
    base = base if file is None else read_object(file, "metadata")
    return {**base, **{name: value for name, value in fields.items() if value not in (None, [])}}


def _write_new(path: Path, text: str, mode: int, what: str) -> None:
    """Write a new file durably; it must not exist yet."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InvalidInput(f"{what} cannot be written to {str(path)!r}: {error.strerror}.") from error
