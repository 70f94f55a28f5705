"""What a key has signed about access that may still take effect.

A grant or revocation names the epoch of its dataset and grantee: how many there were before it. Unlike a head, an
epoch can be foretold. A gateway that names a later one collects a signature that waits for its turn, and could bring
back what was revoked meanwhile. So a key that has signed for an epoch signs for no earlier one while that is good.
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
        domain: The EIP-712 domain separator: which chain and contract it is for.
        dataset_id: The dataset.
        grantee: The grantee.
        epoch: The epoch that the message names.
        deadline: Until when it is good, Unix seconds, UTC.
    """

    domain: Bytes32
    dataset_id: DatasetId
    grantee: Address
    epoch: int
    deadline: int


class Journal:
    """The signatures of one key, in a file beside the keys; nothing in it is secret.

    Args:
        folder: The folder of keys.
        address: The key's account.
    """

    def __init__(self, folder: Path, address: Address) -> None:
        self._path = folder / FOLDER / f"{address.hex()}.jsonl"

    def later_than(self, entry: JournalEntry, now: int) -> JournalEntry | None:
        """The signature for the latest epoch after that of an entry, if one is still good.

        Args:
            entry: What is about to be signed.
            now: Unix seconds, UTC.

        Raises:
            InvalidInput: The file cannot be read.
        """
        subject = (entry.domain, entry.dataset_id, entry.grantee)
        later = [
            one
            for one in self._entries()
            if (one.domain, one.dataset_id, one.grantee) == subject and one.epoch > entry.epoch and one.deadline >= now
        ]
        return max(later, key=lambda one: one.epoch, default=None)

    def add(self, entry: JournalEntry) -> None:
        """Notes a signature, before it is given to anybody.

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
                os.write(descriptor, f"\n{line}\n".encode())  # It begins anew, whatever a crash has left before it.
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
                found = json.loads(line)
                yield JournalEntry(
                    Bytes32.parse(found["domain"]),
                    DatasetId.parse(found["datasetId"]),
                    Address.parse(found["grantee"]),
                    int(found["epoch"]),
                    int(found["deadline"]),
                )
            except (ValueError, KeyError, TypeError, InvalidInput):
                continue  # Empty, or cut off by a crash: then nothing was signed.
