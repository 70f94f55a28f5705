"""Parsed manifests, the latest few: a large one takes seconds to parse, and is asked for again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from registry.manifest.manifest import Manifest
from registry.primitives import Bytes32

MAX_ENTRIES: Final = 300_000
"""Entries of all manifests that are kept; a hundred megabytes or so."""


class ManifestCache:
    """Keeps parsed manifests by their roots; safe for threads. One thread parses, the others wait for it.

    Args:
        max_entries: How many entries all of them may have together.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self._manifests: OrderedDict[Bytes32, Manifest] = OrderedDict()
        self._lock = threading.Lock()
        self.parsed = 0

    def get(self, root: Bytes32, read: Callable[[], bytes | None]) -> Manifest | None:
        """Return the manifest with a root.

        Args:
            root: The content root.
            read: Gives the text form, or None where there is none.

        Raises:
            InvalidInput: The text is not a manifest.
        """
        with self._lock:
            kept = self._manifests.get(root)
            if kept is not None:
                self._manifests.move_to_end(root)
                return kept
            text = read()
            if text is None:
                return None
            manifest = Manifest.parse(text)
            self.parsed += 1
            self._manifests[root] = manifest
            while len(self._manifests) > 1 and self._entries() > self._max_entries:
                self._manifests.popitem(last=False)
            return manifest

    def _entries(self) -> int:
        return sum(len(manifest.entries) for manifest in self._manifests.values())
