"""Manifests: the list of a dataset's files, whose Merkle root is the content root (format ``tdr-manifest/1``)."""

from registry.manifest.entry import SALT_BYTES, Entry, verify_entry
from registry.manifest.hashing import Progress, hash_path
from registry.manifest.lists import from_checksums, from_digests
from registry.manifest.manifest import FORMAT, Manifest, Mismatch, compare
from registry.manifest.paths import check_path, normalise_path

__all__ = [
    "FORMAT",
    "SALT_BYTES",
    "Entry",
    "Manifest",
    "Mismatch",
    "Progress",
    "check_path",
    "compare",
    "from_checksums",
    "from_digests",
    "hash_path",
    "normalise_path",
    "verify_entry",
]
