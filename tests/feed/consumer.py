"""A consumer of the outbox, as docs/http.md describes it: it remembers its cursor and undoes what is retracted."""

from __future__ import annotations

from registry.feed.entries import Entry, EntryKind, read_entries
from registry.storage import Storage


class Consumer:
    """Reads in small steps, and keeps what holds.

    Attributes:
        held: The entries that hold, by their number.
        seen: The numbers of all entries, in the order of reading.
    """

    def __init__(self, storage: Storage, limit: int = 7) -> None:
        self._storage = storage
        self._limit = limit
        self._next = 0
        self.held: dict[int, Entry] = {}
        self.seen: list[int] = []

    def read(self) -> list[Entry]:
        """Read all that is new, and return it."""
        found: list[Entry] = []
        while True:
            with self._storage.read() as connection:
                batch = read_entries(connection, self._next, self._limit)
            self._next = batch.next
            found += batch.entries
            if batch.next == batch.newest:
                break
        for entry in found:
            self.seen.append(entry.seq)
            if entry.entry == EntryKind.RETRACTION:
                assert entry.retracts is not None
                retracted = self.held.pop(entry.retracts)  # F3: it was held, and it is taken back once.
                assert (retracted.position, retracted.block_hash) == (entry.position, entry.block_hash)
            else:
                self.held[entry.seq] = entry
        return found

    def events(self) -> list[tuple[int, bytes, bytes | None]]:
        """Return position, block hash and data of the events that hold, in the order of the chain."""
        held = [entry for entry in self.held.values() if entry.entry == EntryKind.EVENT]
        return sorted((entry.position, entry.block_hash, entry.data) for entry in held)

    def due(self) -> list[Entry]:
        """Return the due entries that hold, in the order of the grants."""
        held = [entry for entry in self.held.values() if entry.entry == EntryKind.DUE]
        return sorted(held, key=lambda entry: entry.position)
