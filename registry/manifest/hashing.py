"""Hash files on disk into a manifest.

A manifest must describe a state that the folder really had. So the folder is surveyed first (every file with its inode,
size and times), each file is hashed through a descriptor that matches the survey, and at the end everything is surveyed
again. If nothing changed in between, all files had the hashed content at one moment, the end of reading.

Warning: a change that leaves size and times unchanged cannot be detected, for example when a file is written twice
within one tick of the file system's clock (a few milliseconds).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from registry.base.errors import InvalidInput
from registry.base.primitives import Bytes32
from registry.manifest.entry import Entry
from registry.manifest.manifest import Manifest
from registry.manifest.paths import refuse_collisions
from registry.manifest.selection import EVERYTHING, Selection
from registry.manifest.survey import Identity, Place, Survey, changed, identity_of, opened_file, places_of, unreadable

Progress: TypeAlias = Callable[[int, int], None]
"""Receives the number of bytes hashed so far and the total."""

_PROGRESS_SECONDS = 0.05
_BUFFER_BYTES = 1 << 18  # Fits in the second-level cache, so that data is still there when it is hashed.


@dataclass(frozen=True, slots=True)
class Selected:
    """The result of hashing a selection of files.

    Args:
        manifest: The files that were hashed.
        left_out: The files and folders that the rules excluded and the links that were skipped, ascending; a folder
            ends in a slash and includes everything in it.
        patterns: The ignore patterns that were applied.
    """

    manifest: Manifest
    left_out: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


def hash_path(path: str | os.PathLike[str], *, private: bool = False, progress: Progress | None = None) -> Manifest:
    """Return the manifest of a file, or of all files in a folder and its subfolders. Nothing is excluded.

    Args:
        path: The file or folder.
        private: Whether each entry gets a random salt.
        progress: See `hash_selected`.

    Raises:
        InvalidInput: See `hash_selected`.
    """
    return hash_selected(path, EVERYTHING, private=private, progress=progress).manifest


def hash_selected(
    path: str | os.PathLike[str], selection: Selection, *, private: bool = False, progress: Progress | None = None
) -> Selected:
    """Hash a file, or the files of a folder and its subfolders that belong to the dataset.

    A file's path is its name; in a folder, its path from there. Names are converted to NFC. Folders without files do
    not appear in a manifest.

    Args:
        path: The file or folder. It must not be a symbolic link itself; its parents may be. Rules do not apply to a
            single file.
        selection: Which files of the folder belong to the dataset.
        private: Whether each entry gets a random salt.
        progress: Called with the bytes hashed and the total: at the beginning, then at most 20 times per second, and at
            the end.

    Raises:
        InvalidInput: There is no file; something is not a file or folder, cannot be read, has a name that is not
            allowed in a manifest, or changed while it was hashed; or a pattern is invalid. The message names it.
    """
    return hash_together([path], selection, private=private, progress=progress)


def hash_together(
    paths: Sequence[str | os.PathLike[str]],
    selection: Selection,
    *,
    private: bool = False,
    progress: Progress | None = None,
) -> Selected:
    """Hash files and folders into one manifest.

    A single path is hashed as by `hash_selected`. With several paths, a file's path is its name, and the paths of a
    folder's files begin with the folder's name: the manifest is that of a folder containing them all. Each folder's
    rules apply to that folder, as if it were hashed alone.

    Args:
        paths: The files and folders, at least one.
        selection: See `hash_selected`.
        private: See `hash_selected`.
        progress: See `hash_selected`.

    Raises:
        InvalidInput: See `hash_selected`; or two paths would have the same name in the manifest.
    """
    if not paths or not all(os.fspath(path) for path in paths):
        raise InvalidInput("Expected the path of a file or folder; got an empty path.")
    meter = _Meter(progress)
    with places_of([Path(path) for path in paths], selection) as places:
        surveys = [place.first_survey() for place in places]
        entries = _hash_all(places, surveys, meter)
        for place, before in zip(places, surveys, strict=True):
            after = place.survey()
            if before.files != after.files:
                raise changed(place.shown(min(name for name, _ in before.files.items() ^ after.files.items())))
    meter.finish()
    manifest = Manifest.of(entries)
    surveyed = list(zip(places, surveys, strict=True))
    return Selected(
        manifest.salted() if private else manifest,
        tuple(sorted(f"{place.prefix}{name}" for place, survey in surveyed for name in survey.left_out)),
        tuple(dict.fromkeys(pattern for place in places for pattern in place.rules.patterns)),
    )


def _hash_all(places: Sequence[Place], surveys: Sequence[Survey], meter: _Meter) -> list[Entry]:
    paths = [place.manifest_paths(survey) for place, survey in zip(places, surveys, strict=True)]
    refuse_collisions(path for names in paths for path in names.values())
    meter.total = sum(file.identity.size for survey in surveys for file in survey.files.values())
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    return [
        Entry(
            by_name[name],
            _hash_file(file.opened, file.identity, place.shown(name), buffer, meter, within=place.folder),
            file.identity.size,
        )
        for place, survey, by_name in zip(places, surveys, paths, strict=True)
        for name, file in survey.files.items()
    ]


def _hash_file(
    file: str | Path, identity: Identity, shown: Path, buffer: memoryview, meter: _Meter, *, within: int | None = None
) -> Bytes32:
    digest = sha256()
    size = 0
    with opened_file(file, 0, within=within, shown=shown) as descriptor:
        if identity_of(os.fstat(descriptor), shown) != identity:
            raise changed(shown)
        while size <= identity.size and (count := _read(descriptor, buffer, shown)):
            digest.update(buffer[:count])
            size += count
            meter.advance(count)
    if size != identity.size:
        raise changed(shown)
    return Bytes32(digest.digest())


class _Meter:
    """Reports progress, but not so often that reporting takes longer than hashing."""

    def __init__(self, progress: Progress | None) -> None:
        self.total = 0
        self._progress = progress
        self._done = 0
        self._due = time.monotonic()

    def advance(self, count: int) -> None:
        self._done += count
        if self._progress and (now := time.monotonic()) >= self._due:
            self._due = now + _PROGRESS_SECONDS
            self._progress(self._done, self.total)

    def finish(self) -> None:
        if self._progress:
            self._progress(self._done, self.total)


def _read(descriptor: int, buffer: memoryview, shown: Path) -> int:
    try:
        return os.readv(descriptor, [buffer])
    except OSError as error:
        raise unreadable(shown, error) from error
