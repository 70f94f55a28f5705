"""Survey the files below a path, each with what identifies it as the same unchanged file.

Everything is opened from the folder down and through no symbolic link, so that nothing from outside can replace what
was surveyed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from registry.base.errors import InvalidInput
from registry.manifest.names import not_utf_8, refuse_one_name, refuse_twins
from registry.manifest.paths import normalise_path
from registry.manifest.selection import IGNORE_FILE, MAX_IGNORE_BYTES, Links, Rules, Selection

# O_NONBLOCK: if a file were replaced by a FIFO before it is opened, opening would wait for a writer.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK

_NOUNS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a folder",
}


class Identity(NamedTuple):
    """What identifies a file as the same and unchanged.

    Args:
        device: The device number.
        inode: The inode number.
        size: The size in bytes.
        modified_ns: The time of the last change of content, Unix nanoseconds.
        changed_ns: The time of the last change of the inode, Unix nanoseconds.
    """

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class File(NamedTuple):
    """A file of the folder.

    Args:
        identity: What identifies it.
        opened: The path to open it by; for a followed link, the path of its target.
    """

    identity: Identity
    opened: str


class Survey(NamedTuple):
    """The files at a place at one moment.

    Args:
        files: The files that belong to the dataset, by their paths on disk from the place.
        left_out: The files and folders that the rules exclude and the links that are skipped, ascending; a folder ends
            in a slash.
    """

    files: dict[str, File]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A path whose files are hashed: a file, or an open folder.

    Args:
        path: The path, as it was given.
        folder: The descriptor of the folder; None for a file.
        prefix: The prefix of its files' paths in the manifest: empty, or the folder's name and a slash.
        links: The treatment of symbolic links.
        rules: Which files of the folder are excluded.
        rules_file: The identity of the folder's `.tdrignore` when it was read; None if none was read.
        has_rules_file: Whether a `.tdrignore` applies.
    """

    path: Path
    folder: int | None
    prefix: str
    links: Links
    rules: Rules
    rules_file: Identity | None
    has_rules_file: bool

    def survey(self) -> Survey:
        """Return the files that are there now.

        Raises:
            InvalidInput: Something is not a file or folder, cannot be read, or changed meanwhile.
        """
        if self.folder is None:
            return Survey({self.path.name: File(identity_of(status_of(self.path), self.path), str(self.path))}, ())
        return _survey(self.folder, self.path, self.rules, self.links)

    def first_survey(self) -> Survey:
        """Return the files that are there now, and check that the rules read before are still current.

        Raises:
            InvalidInput: See `survey`; or the rules have changed, or the folder has no file.
        """
        survey = self.survey()
        surveyed = survey.files.get(IGNORE_FILE)
        is_same = self.rules_file == (surveyed and surveyed.identity)
        if self.has_rules_file and not is_same and IGNORE_FILE not in survey.left_out:
            raise changed(self.path / IGNORE_FILE)
        if not survey.files:
            raise InvalidInput(
                f"There is no file in {str(self.path)!r}; a dataset needs at least one.",
                hint=f"The ignore rules exclude {survey.left_out[0]!r}." if survey.left_out else "",
            )
        return survey

    def shown(self, name: str) -> Path:
        """Return the path of a file of the survey, for people."""
        return self.path if self.folder is None else self.path / name

    def manifest_paths(self, survey: Survey) -> dict[str, str]:
        """Return the paths in the manifest of the files of a survey, by those on disk.

        Raises:
            InvalidInput: A name is not allowed in a manifest, or two are equal in NFC.
        """
        paths = {name: _manifest_path(f"{self.prefix}{name}", self.shown(name)) for name in survey.files}
        refuse_twins(paths, self.path)
        return paths


@contextmanager
def places_of(paths: Sequence[Path], selection: Selection) -> Iterator[list[Place]]:
    """Open the paths that are hashed together.

    The files of a single folder get their paths from there. With several paths, each keeps its own name, as if they
    were in one folder.

    Args:
        paths: Files and folders, at least one. None may be a symbolic link itself; their parents may be.
        selection: Which files of a folder belong to the dataset.

    Raises:
        InvalidInput: A path cannot be read, or two would have the same name.
    """
    check_names(paths)
    with ExitStack() as opened:
        yield [_place(path, selection, opened, is_alone=len(paths) == 1) for path in paths]


def check_names(paths: Sequence[Path]) -> None:
    """Check, without reading anything, that paths can be hashed together: each has its own name.

    Raises:
        InvalidInput: A path has no name, two have the same, or one is given twice.
    """
    if len(paths) > 1:
        refuse_one_name((path, _own_name(path)) for path in paths)


def _own_name(path: Path) -> str:
    """Return the last name of a path in NFC; for `.` and `..`, that of the folder they denote."""
    name = path.name if path.name not in ("", "..") else path.resolve().name
    if not name:
        raise InvalidInput(
            f"{str(path)!r} has no name to use in the manifest.", hint="Give a folder below it, or give it alone."
        )
    return _manifest_path(name, path)


def _place(path: Path, selection: Selection, opened: ExitStack, *, is_alone: bool) -> Place:
    if not stat.S_ISDIR(status_of(path).st_mode):
        return Place(path, None, "", selection.links, Rules(()), None, has_rules_file=False)
    folder = opened.enter_context(opened_file(path, os.O_DIRECTORY, shown=path))
    prefix = "" if is_alone else f"{_own_name(path)}/"
    rules, rules_file = _read_rules(folder, path, selection.below(prefix))
    return Place(path, folder, prefix, selection.links, rules, rules_file, selection.has_rules)


def _read_rules(top: int, shown: Path, selection: Selection) -> tuple[Rules, Identity | None]:
    """Return the rules for an open folder, and the identity of its `.tdrignore` when it was read."""
    if not selection.has_rules:
        return selection.rules(()), None
    file = shown / IGNORE_FILE
    try:
        descriptor = os.open(IGNORE_FILE, _READ, dir_fd=top)
    except FileNotFoundError:
        return selection.rules(()), None
    except OSError as error:
        raise unreadable(file, error) from error
    with os.fdopen(descriptor, "rb") as opened:
        identity = identity_of(os.fstat(descriptor), file)
        content = opened.read(MAX_IGNORE_BYTES + 1)
    if len(content) > MAX_IGNORE_BYTES:
        raise InvalidInput(f"{str(file)!r} has more than {MAX_IGNORE_BYTES} bytes.")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InvalidInput(f"{str(file)!r} is not UTF-8 text.") from None
    return selection.rules(lines), identity


def _survey(top: int, shown: Path, rules: Rules, links: Links) -> Survey:
    """Return every file below an open folder, by its path on disk from there; and what is excluded."""
    files: dict[str, File] = {}
    left_out: list[str] = []
    folders = [("", _inode(os.fstat(top)))]
    while folders:
        folder, place = folders.pop()
        with opened_file(folder or ".", os.O_DIRECTORY, within=top, shown=shown / folder) as descriptor:
            if _inode(os.fstat(descriptor)) != place:
                raise changed(shown / folder)
            with _errors_named(shown / folder), os.scandir(descriptor) as listing:
                for item in listing:
                    name = f"{folder}/{item.name}" if folder else item.name
                    status = item.stat(follow_symlinks=False)
                    is_folder = stat.S_ISDIR(status.st_mode)
                    is_link = stat.S_ISLNK(status.st_mode)
                    if rules.leave_out(name, is_folder=is_folder) or (is_link and links is Links.SKIP):
                        left_out.append(f"{name}/" if is_folder else name)
                    elif is_folder:
                        folders.append((name, _inode(status)))
                    elif is_link and links is Links.FOLLOW_INSIDE:
                        files[name] = _follow(top, shown, name)
                    else:
                        files[name] = File(identity_of(status, shown, name), name)
    return Survey(files, tuple(sorted(left_out)))


def _follow(top: int, shown: Path, name: str) -> File:
    """Return the file that a link points to, if it is below the open folder.

    The path that the link resolves to may be changed meanwhile. So the file is opened from the folder down, through no
    further link: a file with this identity was inside, and nothing else is hashed in its place.
    """
    link = shown / name
    target = os.path.relpath(os.path.realpath(link), os.path.realpath(shown))
    parts = Path(target).parts
    if not parts or parts[0] == "..":
        raise InvalidInput(
            f"{str(link)!r} is a symbolic link that points outside the folder.",
            hint="Replace it with a copy, or skip links with --links skip.",
        )
    with ExitStack() as opened:
        within = top
        for part in parts[:-1]:
            within = opened.enter_context(opened_file(part, os.O_DIRECTORY, within=within, shown=link))
        status = os.fstat(opened.enter_context(opened_file(parts[-1], 0, within=within, shown=link)))
    if stat.S_ISDIR(status.st_mode):
        raise InvalidInput(
            f"{str(link)!r} is a symbolic link to a folder; only links to files are followed.",
            hint="The folder's files are in the dataset under their own names; exclude the link with --exclude.",
        )
    return File(identity_of(status, shown, name), target)


@contextmanager
def opened_file(path: str | Path, flags: int, *, within: int | None = None, shown: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, _READ | flags, dir_fd=within)
    except OSError as error:
        raise unreadable(shown, error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _errors_named(shown: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise unreadable(shown, error) from error


def status_of(path: Path) -> os.stat_result:
    with _errors_named(path):
        return path.lstat()


def unreadable(shown: Path, error: OSError | ValueError) -> InvalidInput:
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return InvalidInput(f"{str(shown)!r} cannot be read: {reason}.")


def identity_of(status: os.stat_result, shown: Path, below: str = "") -> Identity:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        noun = _NOUNS.get(kind, "not a file")
        is_link_within = bool(below) and kind == stat.S_IFLNK
        raise InvalidInput(
            f"{str(shown / below)!r} is {noun}; a dataset consists of files and folders.",
            hint="Replace it with a file, or remove it from the folder."
            + (" For links there are also --links skip and --links follow-inside." if is_link_within else ""),
        )
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _manifest_path(name: str, shown: Path) -> str:
    try:
        return normalise_path(os.fsencode(name).decode("utf-8"))
    except UnicodeDecodeError:
        raise not_utf_8(shown) from None


def changed(shown: Path) -> InvalidInput:
    return InvalidInput(
        f"{str(shown)!r} changed while it was hashed.", hint="Hash it again when nothing writes there, or hash a copy."
    )
