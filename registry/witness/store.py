"""The state of a witness, in one SQLite file. Each change is on the disk before it has an effect outside.

The key and this file belong together. A key without its file must not sign again, because what it signed is unknown.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from registry.base.errors import Conflict, InvalidInput, NotFound, Unavailable
from registry.base.primitives import Bytes32
from registry.chain.client import ChainIdentity
from registry.keys.notes import create_note_key, load_note_key
from registry.notes.alarm import Alarm, AlarmKind, read_statement
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, SigningKey
from registry.witness.decision import State, View

KEPT_BLOCKS: Final = 2**17
"""The number of followed blocks stored, some 60 bytes each. Cosigned notes are stored for ever."""
MAX_ALARMS: Final = 1000
"""The most alarms stored."""

KEY_FILE: Final = "witness.key"
STATE_FILE: Final = "witness.sqlite3"
DEFAULT_NAME: Final = "tdr-witness-"
"""The prefix of a key's default name. Eight digits of the key follow."""

_APPLICATION_ID: Final = 0x74647277  # "tdrw"
_SCHEMA: Final = f"""
CREATE TABLE witness (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key TEXT NOT NULL,
    chain_id INTEGER,
    genesis_hash BLOB,
    is_forked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE blocks (height INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
CREATE TABLE cosigned (
    height INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE TABLE alarms (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    time INTEGER NOT NULL,
    ours TEXT NOT NULL,
    theirs TEXT NOT NULL,
    stated TEXT NOT NULL,
    acknowledged_at INTEGER,
    UNIQUE (kind, stated)
) STRICT;
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = 1;
"""


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """A stored alarm.

    Args:
        number: Its number, from 1.
        alarm: The two statements that contradict each other.
        time: When it was raised, Unix seconds, UTC.
        acknowledged_at: When the operator acknowledged it, Unix seconds, UTC, or None.
    """

    number: int
    alarm: Alarm
    time: int
    acknowledged_at: int | None


class WitnessStore:
    """A witness's folder: `witness.key` and `witness.sqlite3`. Not safe to use from several threads at once.

    Attributes:
        key: The witness's key.
    """

    def __init__(self, key: SigningKey, connection: sqlite3.Connection, held: ExitStack) -> None:
        self.key = key
        self._connection = connection
        self._held = held

    @classmethod
    def open(cls, folder: Path, *, name: str | None = None, alone: bool = True) -> Self:
        """Open a witness's folder, or create it with a new key.

        Args:
            folder: The folder.
            name: The name of a new key; None for the default name. An existing key must have this name.
            alone: Whether to lock the folder against other processes. Required for cosigning, not for reading.

        Raises:
            Conflict: Another process has locked the folder, the key does not belong to the state, or the key has
                another name.
            InvalidInput: The folder or the key cannot be used.
            Unavailable: The state cannot be read.
        """
        with ExitStack() as held, _translated():
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if alone:
                    held.callback(os.close, _lock(folder))
            except OSError as error:
                raise InvalidInput(f"The folder {folder} cannot be used: {error.strerror}.") from error
            connection = held.enter_context(closing(_connect(folder)))
            key = _key(connection, folder, name)
            return cls(key, connection, held.pop_all())

    def close(self) -> None:
        """Close the folder and release its lock."""
        self._held.close()

    def bind(self, identity: ChainIdentity) -> None:
        """Require that the chain is the one followed so far. The first chain is stored and never changes.

        Raises:
            Conflict: It is another chain.
        """
        with self._transaction() as connection:
            chain_id, genesis = connection.execute("SELECT chain_id, genesis_hash FROM witness").fetchone()
            if chain_id is None:
                connection.execute(
                    "UPDATE witness SET chain_id = ?, genesis_hash = ?",
                    (identity.chain_id, bytes(identity.genesis_hash)),
                )
                return
        known = ChainIdentity(chain_id, Bytes32(genesis))
        if identity != known:
            raise Conflict(
                f"This witness follows {known}, but its node serves {identity}.",
                hint="Correct the endpoint. For another chain, run another witness in its own folder.",
            )

    def state(self) -> State | None:
        """Return the state that the witness has committed to; None before it has followed a block."""
        with self._transaction() as connection:
            chain_id, is_forked = connection.execute("SELECT chain_id, is_forked FROM witness").fetchone()
            tip = connection.execute("SELECT height, hash FROM blocks ORDER BY height DESC LIMIT 1").fetchone()
            last = connection.execute("SELECT note, time FROM cosigned ORDER BY height DESC LIMIT 1").fetchone()
        if tip is None:
            return None
        return State(
            chain_id=chain_id,
            tip=Checkpoint(chain_id, tip[0], Bytes32(tip[1])),
            signed=None if last is None else Checkpoint.of(Note.parse(last[0])),
            signed_at=0 if last is None else last[1],
            is_forked=bool(is_forked),
        )

    def view(self, height: int) -> View:
        """Return the knowledge of the witness about a height."""
        with self._transaction() as connection:
            block = connection.execute("SELECT hash FROM blocks WHERE height = ?", (height,)).fetchone()
            note = connection.execute("SELECT note FROM cosigned WHERE height = ?", (height,)).fetchone()
        return View(
            block_hash=None if block is None else Bytes32(block[0]),
            note=None if note is None else Note.parse(note[0]),
        )

    def follow(self, blocks: Sequence[Checkpoint]) -> None:
        """Store blocks that follow the last one. A followed block is never replaced.

        Raises:
            Conflict: The first of them does not follow the last stored one.
        """
        with self._transaction() as connection:
            (tip,) = connection.execute("SELECT max(height) FROM blocks").fetchone()
            if tip is not None and [block.height for block in blocks] != list(range(tip + 1, tip + 1 + len(blocks))):
                raise Conflict(f"The blocks do not follow block {tip}.")
            connection.executemany(
                "INSERT INTO blocks VALUES (?, ?)", [(block.height, bytes(block.block_hash)) for block in blocks]
            )
            if blocks:
                oldest = blocks[-1].height - KEPT_BLOCKS
                connection.execute("DELETE FROM blocks WHERE height < ?", (oldest,))

    def mark_forked(self, is_forked: bool) -> None:
        """Store whether the witness's own node has left the branch that is followed."""
        with self._transaction() as connection:
            connection.execute("UPDATE witness SET is_forked = ?", (is_forked,))

    def commit(self, note: Note, checkpoint: Checkpoint, time: int) -> None:
        """Store that a note is about to be cosigned. Call it before the signature is made.

        Args:
            note: The note.
            checkpoint: The checkpoint that it states.
            time: The time for the cosignature, Unix seconds.

        Raises:
            Conflict: A greater height or another block has been cosigned. It is a bug, because `decide` excludes it.
        """
        with self._transaction() as connection:
            greatest, latest = connection.execute("SELECT max(height), max(time) FROM cosigned").fetchone()
            known = connection.execute("SELECT hash FROM blocks WHERE height = ?", (checkpoint.height,)).fetchone()
            if greatest is not None and (greatest > checkpoint.height or latest > time):
                raise Conflict(f"Height {greatest} has been cosigned at {latest}.")
            if known is None or known[0] != bytes(checkpoint.block_hash):
                raise Conflict(f"The block {checkpoint.block_hash} was not followed.")
            connection.execute(
                "INSERT INTO cosigned VALUES (?, ?, ?) ON CONFLICT (height) DO UPDATE SET time = excluded.time",
                (checkpoint.height, time, str(note)),
            )

    def raise_alarm(self, alarm: Alarm, time: int) -> bool:
        """Store an alarm. The same contradiction is stored once.

        Args:
            alarm: The alarm.
            time: Unix seconds.

        Returns:
            Whether it is new.
        """
        with self._transaction() as connection:
            added = connection.execute(
                "INSERT INTO alarms (kind, time, ours, theirs, stated) SELECT ?, ?, ?, ?, ? "
                "WHERE (SELECT count(*) FROM alarms) < ? ON CONFLICT DO NOTHING",
                (alarm.kind.value, time, str(alarm.ours), str(alarm.theirs), alarm.theirs.text, MAX_ALARMS),
            )
            return added.rowcount == 1

    def alarms(self) -> list[RaisedAlarm]:
        """Return all alarms, ascending by number."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT id, kind, ours, theirs, time, acknowledged_at FROM alarms ORDER BY id"
            ).fetchall()
        return [
            RaisedAlarm(
                number, Alarm(AlarmKind(kind), read_statement(ours), read_statement(theirs)), time, acknowledged_at
            )
            for number, kind, ours, theirs, time, acknowledged_at in rows
        ]

    def acknowledge(self, number: int, time: int) -> None:
        """Store that the operator has acknowledged an alarm. It does not change what is cosigned.

        Args:
            number: The alarm's number.
            time: Unix seconds.

        Raises:
            NotFound: There is no alarm with this number.
        """
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE alarms SET acknowledged_at = coalesce(acknowledged_at, ?) WHERE id = ?", (time, number)
            )
            if changed.rowcount == 0:
                raise NotFound(f"There is no alarm {number}.")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        with _translated():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise Unavailable(
            f"The witness's state cannot be used: {error}.", hint="Check its disk for free space and errors."
        ) from error


def _lock(folder: Path) -> int:
    file = os.open(folder / "witness.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise Conflict(
            f"Another process uses the folder {folder}.", hint="Stop it, or choose another folder with --data."
        ) from None
    return file


def _connect(folder: Path) -> sqlite3.Connection:
    path = folder / STATE_FILE
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    # The one file is the whole state. With a write-ahead log beside it, a copy without the log would lack signatures.
    connection.execute("PRAGMA journal_mode = DELETE")
    # EXTRA: a commit is on the disk and survives a power loss before a signature is sent.
    connection.execute("PRAGMA synchronous = EXTRA")
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
        if (folder / KEY_FILE).exists():
            connection.close()
            raise Conflict(
                f"The folder {folder} has a key, but not the record of what it signed ({STATE_FILE}).",
                hint="Restore the latest state of that file; else retire this key and begin in another folder.",
            )
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    if connection.execute("PRAGMA application_id").fetchone() != (_APPLICATION_ID,):
        connection.close()
        raise Conflict(f"{path} is not the state of a witness.")
    return connection


def _key(connection: sqlite3.Connection, folder: Path, name: str | None) -> SigningKey:
    """Return the key of a state; create one for a new state."""
    path = folder / KEY_FILE
    bound = connection.execute("SELECT key FROM witness").fetchone()
    if bound is not None and not path.exists():
        raise Conflict(f"The key of this state is not at {path}: {bound[0]}.", hint="Restore it from a backup.")
    key = load_note_key(path) if path.exists() else create_note_key(path, KeyKind.COSIGNATURE, name or DEFAULT_NAME)
    if bound is None:  # Nothing has been signed with it yet, even if a crash left the key here before.
        connection.execute("INSERT INTO witness (id, key) VALUES (1, ?)", (str(key.verifier),))
    elif bound[0] != str(key.verifier):
        raise Conflict(f"The state in {folder} belongs to the key {bound[0]}, not to {key.verifier}.")
    if name not in (None, key.verifier.name):
        raise Conflict(f"The key in {folder} has the name {key.verifier.name!r}, not {name!r}.")
    if key.verifier.kind is not KeyKind.COSIGNATURE:
        raise InvalidInput(f"The key at {path} is not a cosigning key.")
    return key
