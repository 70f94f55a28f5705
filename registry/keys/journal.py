"""The signatures of a key about access that may still take effect.

A grant or revocation names the epoch of its dataset and grantee: the number of earlier ones. Unlike a head, an epoch is
predictable. A gateway that states a later epoch could collect a signature for future use, and restore access that was
revoked meanwhile. So a key that has signed for an epoch signs for no earlier one until that signature expires.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from registry.base.errors import InvalidInput
from registry.base.primitives import Address, Bytes32, DatasetId

FOLDER = ".signed"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One signature.

    Args:
        domain: The EIP-712 domain separator, which identifies chain and contract.
        dataset_id: The dataset.
        grantee: The grantee.
        epoch: The message's epoch.
        deadline: When it expires, Unix seconds, UTC.
    """

    domain: Bytes32
    dataset_id: DatasetId
    grantee: Address
    epoch: int
    deadline: int


class Journal:
    """The signatures of one key, in a file beside the keys. Nothing in it is secret.

    Args:
        folder: The key folder.
        address: The key's account.
    """

    def __init__(self, folder: Path, address: Address) -> None:
        self._path = folder / FOLDER / f"{address.hex()}.jsonl"

    def later_than(self, entry: JournalEntry, now: int) -> JournalEntry | None:
        """Return the unexpired signature for the latest epoch after an entry's; None if there is none.

        Args:
            entry: The signature that is about to be made.
            now: Unix seconds, UTC.

        Raises:
            InvalidInput: The file cannot be read.
        """
        subject = (entry.domain, entry.dataset_id, entry.grantee)
        later = [
            item
            for item in self._entries()
            if (item.domain, item.dataset_id, item.grantee) == subject
            and item.epoch > entry.epoch
            and item.deadline >= now
        ]
        return max(later, key=lambda signature: signature.epoch, default=None)

    def add(self, entry: JournalEntry) -> None:
        """Record a signature. Call it before the signature leaves the process.

        Args:
            entry: The signature.

        Raises:
            InvalidInput: The file cannot be written.
        """
        line = json.dumps(
            {
                "domain": str(entry.domain),
                "datasetId": str(entry.dataset_id),
                "grantee": str(entry.grantee),
                "epoch": entry.epoch,
                "deadline": entry.deadline,
            }
        )
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, f"\n{line}\n".encode())  # The leading newline ends whatever line a crash left.
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise InvalidInput(
                f"The journal of signatures {self._path} cannot be written: {error.strerror}."
            ) from error

    def _entries(self) -> Iterator[JournalEntry]:
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"The journal of signatures {self._path} cannot be read: {error}.") from error
        for line in lines:
            try:
                fields = json.loads(line)
                yield JournalEntry(
                    Bytes32.parse(fields["domain"]),
                    DatasetId.parse(fields["datasetId"]),
                    Address.parse(fields["grantee"]),
                    int(fields["epoch"]),
                    int(fields["deadline"]),
                )
            except (ValueError, KeyError, TypeError, InvalidInput):
                continue  # Empty, or cut off by a crash; then nothing was signed.
