"""The head of a dataset: a hash chain over its whole history, with version and status in its last four bytes.

contracts/datasets/IDatasetRegistry.sol defines the layout and the steps. A dataset's events can be folded to its head
and compared with its storage slot on the chain.
"""

from __future__ import annotations

from collections.abc import Sequence

from registry.base.primitives import Address, Bytes32, DatasetId, keccak256
from registry.ethereum.abi import left_padded, uint
from registry.rooms.datasets.messages import Source

REGISTRATION_STEP = keccak256(b"tdr.registration")
REVISION_STEP = keccak256(b"tdr.revision")
TRANSFER_STEP = keccak256(b"tdr.transfer")
WITHDRAWAL_STEP = keccak256(b"tdr.withdrawal")

_HASH_BYTES = 28
_VERSION_BYTES = 3
_WITHDRAWN = 1


class Head(Bytes32):
    """A head: 28 bytes of the hash chain, the version number (uint24), the status (0 active, 1 withdrawn)."""

    NOUN = "A head"

    @property
    def version(self) -> int:
        """The number of the latest version; 0 only for `NO_HEAD`."""
        return int.from_bytes(self[_HASH_BYTES : _HASH_BYTES + _VERSION_BYTES], "big")

    @property
    def is_withdrawn(self) -> bool:
        """Whether the dataset has been withdrawn."""
        return self[-1] == _WITHDRAWN

    def after_registration(
        self,
        dataset_id: DatasetId,
        owner: Address,
        content_root: Bytes32,
        metadata_hash: Bytes32,
        uri: bytes,
        sources: Sequence[Source],
    ) -> Head:
        """Return the head after a registration, which follows `NO_HEAD`."""
        step = keccak256(
            REGISTRATION_STEP
            + dataset_id
            + left_padded(owner)
            + content_root
            + metadata_hash
            + keccak256(uri)
            + _sources_hash(sources)
        )
        return self._next(step, version=1)

    def after_revision(
        self, content_root: Bytes32, metadata_hash: Bytes32, uri: bytes, sources: Sequence[Source]
    ) -> Head:
        """Return the head after a revision."""
        step = keccak256(REVISION_STEP + content_root + metadata_hash + keccak256(uri) + _sources_hash(sources))
        return self._next(step, version=self.version + 1)

    def after_transfer(self, previous_owner: Address, owner: Address) -> Head:
        """Return the head after a transfer of the title."""
        return self._next(keccak256(TRANSFER_STEP + left_padded(previous_owner) + left_padded(owner)))

    def after_withdrawal(self, reason: bytes) -> Head:
        """Return the head after a withdrawal."""
        return self._next(keccak256(WITHDRAWAL_STEP + keccak256(reason)), status=_WITHDRAWN)

    def _next(self, step: bytes, *, version: int | None = None, status: int | None = None) -> Head:
        return Head(
            keccak256(self + step)[:_HASH_BYTES]
            + (self.version if version is None else version).to_bytes(_VERSION_BYTES, "big")
            + bytes([self[-1] if status is None else status])
        )


NO_HEAD = Head(bytes(32))


def _sources_hash(sources: Sequence[Source]) -> bytes:
    """Return keccak256(abi.encode(sources)): an offset, the length, then two words per source."""
    if not sources:
        return _NO_SOURCES_HASH
    return keccak256(
        uint(32) + uint(len(sources)) + b"".join(source.dataset_id + uint(source.version) for source in sources)
    )


_NO_SOURCES_HASH = keccak256(uint(32) + uint(0))
