"""Hashing what is on disk into a manifest.

A manifest has to be a state that the folder really had. So the folder is surveyed first (every file with its inode,
size and times), each file is hashed through a descriptor that shows the surveyed file, and at the end everything is
surveyed again: where nothing moved in between, all files had the hashed content at one moment, the end of the reading.

Warning: a change that leaves size and times as they were cannot be seen, as when a file is written twice within one
tick of the file system's clock (a few milliseconds).
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeAlias

from registry.errors import InvalidInput
from registry.manifest.entry import Entry
from registry.manifest.manifest import Manifest
from registry.manifest.paths import normalise_path, refuse_collisions
from registry.primitives import Bytes32

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many bytes are hashed, and how many there are in all."""

_PROGRESS_SECONDS = 0.05
_BUFFER_BYTES = 1 << 18  # the second level of the cache holds it: what was read is hashed before it is gone
# O_NONBLOCK: if a file were replaced by a FIFO before it is opened, opening would otherwise wait for a writer.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

_NOUNS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a folder",
}


class _Identity(NamedTuple):
    """What shows that a file is the same and unchanged."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def hash_path(path: str | os.PathLike[str], *, private: bool = False, progress: Progress | None = None) -> Manifest:
    """The manifest of a file, or of all files in a folder and its subfolders.

    Nothing is left out: there is no list of names to ignore. A file's path is its name; in a folder, its path from
    there. Names are brought to NFC. Folders without a file in them leave no trace in a manifest.

    Args:
        path: The file or folder. It may not be a symbolic link itself, its parents may.
        private: Whether each entry gets a random salt.
        progress: Is called with the bytes hashed and all there are: at the beginning, then at most 20 times a second,
            and at the end.

    Raises:
        InvalidInput: There is no file; something is neither a file nor a folder, cannot be read, has a name that may
            not stand in a manifest, or changed while it was hashed. The message names it.
    """
    if not os.fspath(path):
        raise InvalidInput("The path of a file or a folder is needed, but an empty one was given.")
    target = Path(path)
    meter = _Meter(progress)
    if stat.S_ISDIR(_status(target).st_mode):
        with _opened(target, os.O_DIRECTORY, shown=target) as top:
            entries = _hash_folder(top, target, meter)
    else:
        entries = [_hash_one(target, meter)]
    meter.finish()
    manifest = Manifest.of(entries)
    return manifest.salted() if private else manifest


def _hash_one(file: Path, meter: _Meter) -> Entry:
    identity = _identity(_status(file), file)
    path = _manifest_path(file.name, file)
    meter.total = identity.size
    digest = _hash_file(file, identity, file, memoryview(bytearray(_BUFFER_BYTES)), meter)
    if _identity(_status(file), file) != identity:
        raise _changed(file)
    return Entry(path, digest, identity.size)


def _hash_folder(top: int, shown: Path, meter: _Meter) -> list[Entry]:
    before = _survey(top, shown)
    if not before:
        raise InvalidInput(f"There is no file in {str(shown)!r}; a dataset has at least one.")
    paths = {name: _manifest_path(name, shown / name) for name in before}
    refuse_collisions(paths.values())
    meter.total = sum(identity.size for identity in before.values())
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    entries = [
        Entry(paths[name], _hash_file(name, identity, shown / name, buffer, meter, within=top), identity.size)
        for name, identity in before.items()
    ]
    after = _survey(top, shown)
    if before != after:
        raise _changed(shown / min(name for name, _ in before.items() ^ after.items()))
    return entries


def _survey(top: int, shown: Path) -> dict[str, _Identity]:
    """Every file below an open folder, by its path from there as it is on disk."""
    files: dict[str, _Identity] = {}
    folders = [("", _place(os.fstat(top)))]
    while folders:
        folder, place = folders.pop()
        with _opened(folder or ".", os.O_DIRECTORY, within=top, shown=shown / folder) as descriptor:
            if _place(os.fstat(descriptor)) != place:
                raise _changed(shown / folder)
            with _errors_named(shown / folder), os.scandir(descriptor) as listing:
                for item in listing:
                    name = f"{folder}/{item.name}" if folder else item.name
                    status = item.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        folders.append((name, _place(status)))
                    else:
                        files[name] = _identity(status, shown, name)
    return files


def _hash_file(
    file: str | Path, identity: _Identity, shown: Path, buffer: memoryview, meter: _Meter, *, within: int | None = None
) -> Bytes32:
    digest = sha256()
    size = 0
    with _opened(file, 0, within=within, shown=shown) as descriptor:
        if _identity(os.fstat(descriptor), shown) != identity:
            raise _changed(shown)
        while size <= identity.size and (count := _read(descriptor, buffer, shown)):
            digest.update(buffer[:count])
            size += count
            meter.advance(count)
    if size != identity.size:
        raise _changed(shown)
    return Bytes32(digest.digest())


class _Meter:
    """Passes progress on, though not so often that the passing on takes longer than the hashing."""

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
        raise _unreadable(shown, error) from error


@contextmanager
def _opened(path: str | Path, flags: int, *, within: int | None = None, shown: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, _READ | flags, dir_fd=within)
    except OSError as error:
        raise _unreadable(shown, error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _errors_named(shown: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unreadable(shown, error) from error


def _status(path: Path) -> os.stat_result:
    with _errors_named(path):
        return path.lstat()


def _unreadable(shown: Path, error: OSError | ValueError) -> InvalidInput:
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return InvalidInput(f"{str(shown)!r} cannot be read: {reason}.")


def _identity(status: os.stat_result, shown: Path, below: str = "") -> _Identity:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        noun = _NOUNS.get(kind, "something else than a file")
        raise InvalidInput(
            f"{str(shown / below)!r} is {noun}; a dataset is made of files and folders.",
            hint="Put a file in its place, or leave it out of the folder.",
        )
    return _Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _place(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _manifest_path(name: str, shown: Path) -> str:
    try:
        return normalise_path(os.fsencode(name).decode("utf-8"))
    except UnicodeDecodeError:
        raise InvalidInput(f"The name of {str(shown)!r} is not UTF-8.", hint="Rename it.") from None


def _changed(shown: Path) -> InvalidInput:
    return InvalidInput(
        f"{str(shown)!r} changed while it was hashed.", hint="Hash it again when nobody writes there, or hash a copy."
    )
