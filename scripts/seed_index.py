"""Fill an index with many datasets to measure reads. Events are applied as by the index itself.

    python -m scripts.seed_index sqlite:///seeded.db 100000

The datasets look like real ones (names, owners, metadata, versions, grants) but were never on a chain.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from typing import Final

from registry.base.canonical import canonical_json, metadata_hash
from registry.base.primitives import Address, Bytes32, keccak256
from registry.documents.tables import MANIFEST_FILES, MANIFESTS, METADATA_DOCUMENTS
from registry.ethereum.abi import dynamic, left_padded, padded, uint
from registry.ethereum.logs import Log
from registry.index.apply import apply
from registry.index.events import EventDecoder
from registry.index.position import position_of
from registry.index.state import Cursor, begin, keep_blocks, lock_cursor, write_cursor
from registry.rooms.access.events import ACCESS_GRANTED
from registry.rooms.catalogue import ROOMS
from registry.rooms.datasets.events import REGISTERED, REVISED
from registry.rooms.datasets.messages import dataset_id_of
from registry.rooms.deployment import Deployment
from registry.rooms.projection import IndexedEvent
from registry.storage import Storage, migrate, open_storage
from registry.storage.bulk import insert_rows

BLOCK_DATASETS: Final = 1_000
OWNERS: Final = 2_000
START: Final = 1_700_000_000
WORDS: Final = [
    "climate",
    "rainfall",
    "census",
    "soil",
    "genome",
    "traffic",
    "energy",
    "water",
    "air",
    "quality",
    "river",
    "forest",
    "crop",
    "yield",
    "survey",
    "hospital",
    "satellite",
    "image",
    "sensor",
    "network",
    "speech",
    "corpus",
    "price",
    "index",
    "trade",
    "port",
    "harbour",
    "labour",
    "income",
    "housing",
    "school",
    "exam",
]
PLACES: Final = [
    "Ghana",
    "Peru",
    "Norway",
    "Kenya",
    "Japan",
    "Chile",
    "Nepal",
    "Malta",
    "Estonia",
    "Fiji",
    "Oman",
    "Togo",
    "Laos",
    "Cuba",
    "Iceland",
    "Benin",
]
URI: Final = b"https://data.example.org/datasets/0123456789abcdef/meta.json"
ADDRESSES: Final = {"DatasetRegistry": Address(b"\x01" * 20), "AccessGrants": Address(b"\x02" * 20)}
DEPLOYMENT: Final = Deployment.of(31337, Bytes32(keccak256(b"seeded")), ADDRESSES, 1)
DECODER: Final = EventDecoder(DEPLOYMENT, ROOMS)


def owner(number: int) -> Address:
    """Return an owner's address."""
    return Address(keccak256(b"owner" + number.to_bytes(8, "big"))[12:])


def file_hash(number: int) -> Bytes32:
    """Return the SHA-256 of the file that only dataset number `number` has."""
    return Bytes32(keccak256(b"file" + number.to_bytes(8, "big")))


def name(number: int) -> str:
    """Return the name of dataset number `number`, which contains the number as a word."""
    chance = random.Random(number)
    return f"{' '.join(chance.sample(WORDS, 3)).capitalize()} of {chance.choice(PLACES)}, {number}"


def seed(storage: Storage, datasets: int, progress: Callable[[int, int], None] | None = None) -> None:
    """Fill an empty database.

    Args:
        storage: The database, migrated.
        datasets: The number of datasets; a fifth of them have a second version, a third have a grant.
        progress: Called with the number of datasets done and the total.
    """
    with storage.write() as connection:
        begin(connection, DEPLOYMENT, ROOMS.projections, Cursor(0, DEPLOYMENT.genesis_hash, START, 0))
    for height, first in enumerate(range(0, datasets, BLOCK_DATASETS), 1):
        block = _Block(height)
        for number in range(first, min(first + BLOCK_DATASETS, datasets)):
            block.add(number)
        with storage.write() as connection:
            lock_cursor(connection)
            insert_rows(
                connection, METADATA_DOCUMENTS, ("metadata_hash", "body", "name", "description"), block.documents
            )
            insert_rows(connection, MANIFESTS, ("content_root", "body", "files", "bytes"), block.manifests)
            insert_rows(connection, MANIFEST_FILES, ("content_root", "number", "sha256", "path"), block.files)
            apply(connection, ROOMS.projections, block.events, above=height - 1, height=height)
            keep_blocks(connection, [(height, block.hash, block.time)], oldest=height - 256)
            write_cursor(connection, Cursor(height, block.hash, block.time, max(0, height - 64)))
        if progress:
            progress(first + BLOCK_DATASETS, datasets)
    with storage.write() as connection:
        connection.exec_driver_sql("ANALYZE")


class _Block:
    """A block's events and the documents that belong to them."""

    def __init__(self, height: int) -> None:
        self.hash = Bytes32(keccak256(b"block" + height.to_bytes(8, "big")))
        self.time = START + 12 * height
        self.events: list[IndexedEvent] = []
        self.documents: list[tuple[object, ...]] = []
        self.manifests: list[tuple[object, ...]] = []
        self.files: list[tuple[object, ...]] = []
        self._height = height

    def add(self, number: int) -> None:
        """Register one dataset."""
        metadata = {"name": name(number), "description": "Made to measure with.", "license": "CC-BY-4.0"}
        key = metadata_hash(metadata)
        body = canonical_json(metadata)
        root = Bytes32(keccak256(b"root" + number.to_bytes(8, "big")))
        holder = owner(number % OWNERS)
        dataset_id = dataset_id_of(holder, root, Bytes32(bytes(32)))
        self.documents.append((key, body, metadata["name"], metadata["description"]))
        self.manifests.append((root, b"{}", 1, 4096))
        self.files.append((root, 0, file_hash(number), "data/table.csv"))
        words = key + bytes(32) + uint(128) + uint(160 + len(padded(URI))) + dynamic(URI) + uint(0)
        self._log(ADDRESSES["DatasetRegistry"], (REGISTERED, dataset_id, Bytes32(left_padded(holder)), root), words)
        if number % 5 == 0:
            words = key + uint(96) + uint(128 + len(padded(URI))) + dynamic(URI) + uint(0)
            self._log(ADDRESSES["DatasetRegistry"], (REVISED, dataset_id, Bytes32(uint(2)), root), words)
        if number % 3 == 0:
            grantee = Bytes32(left_padded(owner(number % 97)))
            words = uint(1) + uint(self.time) + uint(2**40) + root + uint(1)
            self._log(ADDRESSES["AccessGrants"], (ACCESS_GRANTED, dataset_id, grantee), words)

    def _log(self, contract: Address, topics: tuple[Bytes32, ...], data: bytes) -> None:
        index = len(self.events)
        transaction = Bytes32(keccak256(self.hash + index.to_bytes(4, "big")))
        position = position_of(self._height, index)
        event = DECODER.decode(Log(contract, topics, data), position, self.hash, self.time, transaction)
        assert event is not None
        self.events.append(event)


def main() -> None:
    """Fill the given database."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("datasets", type=int)
    arguments = parser.parse_args()
    storage = open_storage(arguments.url)
    migrate(storage)
    seed(storage, arguments.datasets, lambda done, wanted: print(f"\r{done:,} of {wanted:,}", end=""))
    print()


if __name__ == "__main__":
    main()
