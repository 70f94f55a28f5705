"""The node's checkpoints, the keys that signed them, and the alarms about them, in the node's database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Row, Select, func, insert, select, update

from registry.base.errors import Conflict, NotFound
from registry.base.primitives import Bytes32
from registry.checkpoints.tables import ALARMS, CHECKPOINTS, KEYS
from registry.notes.alarm import Alarm, AlarmKind, read_statement
from registry.notes.checkpoint import Checkpoint
from registry.notes.note import KeyKind, Note, Signature, VerifierKey
from registry.storage import Storage

MAX_ALARMS: Final = 1000
"""The most alarms stored of each reporter, so that one reporter cannot crowd out the others."""


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that this node signed.

    Args:
        height: The block's height.
        block_hash: The block's hash.
        signed_at: When the node signed it, Unix seconds, UTC.
        cosignatures: The number of witnesses that have cosigned it so far.
        note: The note with all signatures so far.
    """

    height: int
    block_hash: Bytes32
    signed_at: int
    cosignatures: int
    note: Note


@dataclass(frozen=True, slots=True)
class ReportedAlarm:
    """An alarm about this node's checkpoints.

    Args:
        number: Its number, from 1.
        reporter: The name of the key of the node or witness that raised it.
        reported_at: When it was raised, Unix seconds, UTC.
        alarm: The two statements that contradict each other.
    """

    number: int
    reporter: str
    reported_at: int
    alarm: Alarm


class CheckpointStore:
    """The checkpoints in a database. Safe to use from several threads and processes.

    Args:
        storage: The database, with its tables created.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def newest(self, *, cosignatures: int = 0) -> SignedCheckpoint | None:
        """Return the highest checkpoint with at least a number of cosignatures; None if there is none."""
        return self._first(_cosigned(cosignatures).order_by(CHECKPOINTS.c.height.desc()))

    def covering(self, height: int, *, cosignatures: int = 0) -> SignedCheckpoint | None:
        """Return the lowest checkpoint at or above a height with enough cosignatures; None if none yet."""
        query = _cosigned(cosignatures).where(CHECKPOINTS.c.height >= height)
        return self._first(query.order_by(CHECKPOINTS.c.height))

    def at(self, height: int) -> SignedCheckpoint:
        """Return the checkpoint for exactly this height.

        Raises:
            NotFound: There is none.
        """
        checkpoint = self._first(select(CHECKPOINTS).where(CHECKPOINTS.c.height == height))
        if checkpoint is None:
            raise NotFound(
                f"There is no checkpoint for height {height}.", hint="List the checkpoints from a height: ?from=HEIGHT."
            )
        return checkpoint

    def page(self, since: int, limit: int) -> list[SignedCheckpoint]:
        """Return at most `limit` checkpoints from a height on, ascending by height."""
        query = select(CHECKPOINTS).where(CHECKPOINTS.c.height >= since).order_by(CHECKPOINTS.c.height).limit(limit)
        with self._storage.read() as connection:
            return [_read(row) for row in connection.execute(query)]

    def add(self, note: Note, time: int) -> None:
        """Store a checkpoint before the node publishes it.

        Args:
            note: The note, signed by this node.
            time: When it was signed, Unix seconds.

        Raises:
            Conflict: There is a checkpoint for this height or a greater one.
        """
        checkpoint = Checkpoint.of(note)
        with self._storage.write() as connection:
            greatest = connection.execute(select(func.max(CHECKPOINTS.c.height))).scalar_one()
            if greatest is not None and greatest >= checkpoint.height:
                raise Conflict(f"There is a checkpoint for height {greatest} already.")
            connection.execute(
                insert(CHECKPOINTS).values(
                    height=checkpoint.height,
                    block_hash=checkpoint.block_hash,
                    signed_at=time,
                    cosignatures=0,
                    note=str(note),
                )
            )

    def add_cosignatures(self, height: int, signatures: Collection[Signature]) -> None:
        """Add verified cosignatures to a checkpoint. The first one of each witness is stored."""
        with self._storage.write() as connection:
            source, before = connection.execute(
                select(CHECKPOINTS.c.note, CHECKPOINTS.c.cosignatures)
                .where(CHECKPOINTS.c.height == height)
                .with_for_update()
            ).one()
            note = Note.parse(source)
            present = {(line.name, line.key_id) for line in note.signatures}
            new = [line for line in signatures if (line.name, line.key_id) not in present]
            whole = Note(note.text, (*note.signatures, *new))
            connection.execute(
                update(CHECKPOINTS)
                .where(CHECKPOINTS.c.height == height)
                .values(note=str(whole), cosignatures=before + len(new))
            )

    def keys(self) -> tuple[list[VerifierKey], list[VerifierKey]]:
        """Return the public keys of this node, replaced ones included, and those of its present and past witnesses."""
        with self._storage.read() as connection:
            rows = connection.execute(select(KEYS.c.key).order_by(KEYS.c.key)).scalars()
            keys = [VerifierKey.parse(key) for key in rows]
        nodes = [key for key in keys if key.kind is KeyKind.NOTE]
        return nodes, [key for key in keys if key.kind is KeyKind.COSIGNATURE]

    def remember_keys(self, keys: Sequence[VerifierKey]) -> None:
        """Store the public keys whose signatures will be on the notes."""
        with self._storage.write() as connection:
            known = set(connection.execute(select(KEYS.c.key)).scalars())
            for key in sorted({str(key) for key in keys} - known):
                connection.execute(insert(KEYS).values(key=key))

    def alarms(self) -> list[ReportedAlarm]:
        """Return all alarms, ascending by number."""
        with self._storage.read() as connection:
            rows = connection.execute(select(ALARMS).order_by(ALARMS.c.number)).all()
        return [
            ReportedAlarm(
                number=row.number,
                reporter=row.reporter,
                reported_at=row.reported_at,
                alarm=Alarm(AlarmKind(row.kind), read_statement(row.ours), read_statement(row.theirs)),
            )
            for row in rows
        ]

    def count_alarms(self) -> int:
        """Return the number of alarms."""
        with self._storage.read() as connection:
            return connection.execute(select(func.count()).select_from(ALARMS)).scalar_one()

    def raise_alarm(self, alarm: Alarm, reporter: str, time: int) -> bool:
        """Store an alarm. The same contradiction is stored once, even if several report it.

        Args:
            alarm: The alarm.
            reporter: The name of the key of the node or witness that raised it.
            time: Unix seconds.

        Returns:
            Whether it is new.
        """
        digest = Bytes32(sha256(f"{alarm.ours.text}\n{alarm.theirs.text}".encode()).digest())
        with self._storage.write() as connection:
            count = connection.execute(select(func.count()).select_from(ALARMS)).scalar_one()
            reported = select(func.count()).select_from(ALARMS).where(ALARMS.c.reporter == reporter)
            known = connection.execute(select(ALARMS.c.number).where(ALARMS.c.digest == digest)).one_or_none()
            if known is not None or connection.execute(reported).scalar_one() >= MAX_ALARMS:
                return False
            connection.execute(
                insert(ALARMS).values(
                    number=count + 1,
                    digest=digest,
                    reporter=reporter,
                    reported_at=time,
                    kind=alarm.kind.value,
                    ours=str(alarm.ours),
                    theirs=str(alarm.theirs),
                )
            )
        return True

    def _first(self, query: Select[Any]) -> SignedCheckpoint | None:
        with self._storage.read() as connection:
            row = connection.execute(query.limit(1)).one_or_none()
        return None if row is None else _read(row)


def _cosigned(cosignatures: int) -> Select[Any]:
    query = select(CHECKPOINTS)
    return query.where(CHECKPOINTS.c.cosignatures >= cosignatures) if cosignatures else query


def _read(row: Row[Any]) -> SignedCheckpoint:
    return SignedCheckpoint(row.height, row.block_hash, row.signed_at, row.cosignatures, Note.parse(row.note))
