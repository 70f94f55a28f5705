"""Manifests: the list of a dataset's files, whose Merkle root is the content root (format ``tdr-manifest/1``)."""

from registry.manifest.entry import SALT_BYTES, Entry, verify_entry
from registry.manifest.hashing import Progress, Selected, hash_path, hash_selected, hash_together
from registry.manifest.lists import from_checksums, from_digests
from registry.manifest.manifest import FORMAT, Manifest, Mismatch, compare
from registry.manifest.paths import check_path, normalise_path
from registry.manifest.selection import EVERYTHING, STANDARD, Links, Selection
from registry.manifest.survey import check_names

__all__ = [
    "EVERYTHING",
    "FORMAT",
    "SALT_BYTES",
    "STANDARD",
    "Entry",
    "Links",
    "Manifest",
    "Mismatch",
    "Progress",
    "Selected",
    "Selection",
    "check_names",
    "check_path",
    "compare",
    "from_checksums",
    "from_digests",
    "hash_path",
    "hash_selected",
    "hash_together",
    "normalise_path",
    "verify_entry",
]
