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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeAlias

from registry.errors import InvalidInput
from registry.manifest.entry import Entry
from registry.manifest.manifest import Manifest
from registry.manifest.names import not_utf_8, refuse_twins
from registry.manifest.paths import normalise_path, refuse_collisions
from registry.manifest.selection import EVERYTHING, IGNORE_FILE, MAX_IGNORE_BYTES, Links, Rules, Selection
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


class _File(NamedTuple):
    """A file of the folder: what it is, and the path to open it by; they differ for a link that is followed."""

    identity: _Identity
    opened: str


@dataclass(frozen=True, slots=True)
class Selected:
    """What was hashed, and what was not.

    Args:
        manifest: The files that were hashed.
        left_out: What the rules left out and the links that were skipped, ascending; a folder ends in a slash, and
            stands for all that is in it.
        patterns: The ignore patterns that held.
    """

    manifest: Manifest
    left_out: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


def hash_path(path: str | os.PathLike[str], *, private: bool = False, progress: Progress | None = None) -> Manifest:
    """Return the manifest of a file, or of all files in a folder and its subfolders. Nothing is left out.

    Raises:
        InvalidInput: As `hash_selected` does.
    """
    return hash_selected(path, EVERYTHING, private=private, progress=progress).manifest


def hash_selected(
    path: str | os.PathLike[str], selection: Selection, *, private: bool = False, progress: Progress | None = None
) -> Selected:
    """Hash a file, or the files of a folder and its subfolders that belong to the dataset.

    A file's path is its name; in a folder, its path from there. Names are brought to NFC. Folders without a file in
    them leave no trace in a manifest.

    Args:
        path: The file or folder. It may not be a symbolic link itself, its parents may. For a file, no rules hold.
        selection: Which files of the folder belong to the dataset.
        private: Whether each entry gets a random salt.
        progress: Is called with the bytes hashed and all there are: at the beginning, then at most 20 times a second,
            and at the end.

    Raises:
        InvalidInput: There is no file; something is neither a file nor a folder, cannot be read, has a name that may
            not stand in a manifest, or changed while it was hashed; or a pattern cannot be read. The message names it.
    """
    if not os.fspath(path):
        raise InvalidInput("The path of a file or a folder is needed, but an empty one was given.")
    target = Path(path)
    meter = _Meter(progress)
    if stat.S_ISDIR(_status(target).st_mode):
        with _opened(target, os.O_DIRECTORY, shown=target) as top:
            entries, left_out, patterns = _hash_folder(top, target, selection, meter)
    else:
        entries, left_out, patterns = [_hash_one(target, meter)], (), ()
    meter.finish()
    manifest = Manifest.of(entries)
    return Selected(manifest.salted() if private else manifest, left_out, patterns)


def _hash_one(file: Path, meter: _Meter) -> Entry:
    identity = _identity(_status(file), file)
    path = _manifest_path(file.name, file)
    meter.total = identity.size
    digest = _hash_file(file, identity, file, memoryview(bytearray(_BUFFER_BYTES)), meter)
    if _identity(_status(file), file) != identity:
        raise _changed(file)
    return Entry(path, digest, identity.size)


def _hash_folder(
    top: int, shown: Path, selection: Selection, meter: _Meter
) -> tuple[list[Entry], tuple[str, ...], tuple[str, ...]]:
    rules, rules_file = _read_rules(top, shown, selection)
    before, left_out = _survey(top, shown, rules, selection.links)
    surveyed = before.get(IGNORE_FILE)
    if rules_file != (surveyed and surveyed.identity) and IGNORE_FILE not in left_out and selection.has_rules:
        raise _changed(shown / IGNORE_FILE)
    if not before:
        raise InvalidInput(
            f"There is no file in {str(shown)!r}; a dataset has at least one.",
            hint=f"The ignore rules left out {left_out[0]!r}." if left_out else "",
        )
    paths = {name: _manifest_path(name, shown / name) for name in before}
    refuse_twins(paths, shown)
    refuse_collisions(paths.values())
    meter.total = sum(file.identity.size for file in before.values())
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    entries = [
        Entry(
            paths[name],
            _hash_file(file.opened, file.identity, shown / name, buffer, meter, within=top),
            file.identity.size,
        )
        for name, file in before.items()
    ]
    after, _ = _survey(top, shown, rules, selection.links)
    if before != after:
        raise _changed(shown / min(name for name, _ in before.items() ^ after.items()))
    return entries, left_out, rules.patterns


def _read_rules(top: int, shown: Path, selection: Selection) -> tuple[Rules, _Identity | None]:
    """Return the rules for an open folder, and what its `.tdrignore` was when it was read."""
    if not selection.has_rules:
        return selection.rules(()), None
    file = shown / IGNORE_FILE
    try:
        descriptor = os.open(IGNORE_FILE, _READ, dir_fd=top)
    except FileNotFoundError:
        return selection.rules(()), None
    except OSError as error:
        raise _unreadable(file, error) from error
    with os.fdopen(descriptor, "rb") as opened:
        identity = _identity(os.fstat(descriptor), file)
        content = opened.read(MAX_IGNORE_BYTES + 1)
    if len(content) > MAX_IGNORE_BYTES:
        raise InvalidInput(f"{str(file)!r} has more than {MAX_IGNORE_BYTES} bytes.")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InvalidInput(f"{str(file)!r} is not text in UTF-8.") from None
    return selection.rules(lines), identity


def _survey(top: int, shown: Path, rules: Rules, links: Links) -> tuple[dict[str, _File], tuple[str, ...]]:
    """Return every file below an open folder, by its path from there as it is on disk; and what is left out."""
    files: dict[str, _File] = {}
    left_out: list[str] = []
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
                    is_folder = stat.S_ISDIR(status.st_mode)
                    is_link = stat.S_ISLNK(status.st_mode)
                    if rules.leave_out(name, is_folder=is_folder) or (is_link and links is Links.SKIP):
                        left_out.append(f"{name}/" if is_folder else name)
                    elif is_folder:
                        folders.append((name, _place(status)))
                    elif is_link and links is Links.FOLLOW_INSIDE:
                        files[name] = _follow(top, shown, name)
                    else:
                        files[name] = _File(_identity(status, shown, name), name)
    return files, tuple(sorted(left_out))


def _follow(top: int, shown: Path, name: str) -> _File:
    """Return the file that a link leads to, if it is one below the open folder.

    The path that the link resolves to may be changed by others meanwhile. So the file is opened from the folder down,
    through no further link: what has this identity was inside, and nothing else is hashed in its place.
    """
    link = shown / name
    target = os.path.relpath(os.path.realpath(link), os.path.realpath(shown))
    parts = Path(target).parts
    if not parts or parts[0] == "..":
        raise InvalidInput(
            f"{str(link)!r} is a symbolic link that leads out of the folder.",
            hint="Put a copy in its place, or leave links out by --links skip.",
        )
    with ExitStack() as opened:
        within = top
        for part in parts[:-1]:
            within = opened.enter_context(_opened(part, os.O_DIRECTORY, within=within, shown=link))
        status = os.fstat(opened.enter_context(_opened(parts[-1], 0, within=within, shown=link)))
    if stat.S_ISDIR(status.st_mode):
        raise InvalidInput(
            f"{str(link)!r} is a symbolic link to a folder; only links to files are followed.",
            hint="The folder's files are in the dataset under their own names: leave the link out by --exclude.",
        )
    return _File(_identity(status, shown, name), target)


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
        is_link_within = bool(below) and kind == stat.S_IFLNK
        raise InvalidInput(
            f"{str(shown / below)!r} is {noun}; a dataset is made of files and folders.",
            hint="Put a file in its place, or leave it out of the folder."
            + (" For links there are also --links skip and --links follow-inside." if is_link_within else ""),
        )
    return _Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _place(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _manifest_path(name: str, shown: Path) -> str:
    try:
        return normalise_path(os.fsencode(name).decode("utf-8"))
    except UnicodeDecodeError:
        raise not_utf_8(shown) from None


def _changed(shown: Path) -> InvalidInput:
    return InvalidInput(
        f"{str(shown)!r} changed while it was hashed.", hint="Hash it again when nobody writes there, or hash a copy."
    )
