"""The manifests that were asked for last: a large one takes a second to read, and is asked for again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from registry.base.primitives import Bytes32
from registry.manifest.text import ManifestText

MAX_BYTES: Final = 96 * 2**20
"""Memory that all of them may take: two of the largest that a gateway accepts."""


class ManifestCache:
    """Keeps manifests by their roots; safe for threads. One thread reads, the others wait for it.

    Args:
        max_bytes: How much memory all of them may take; the latest is kept though it alone takes more.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._manifests: OrderedDict[Bytes32, ManifestText] = OrderedDict()
        self._lock = threading.Lock()
        self.read = 0
        """How many were read."""

    def get(self, root: Bytes32, read: Callable[[], bytes | None]) -> ManifestText | None:
        """Return the manifest with a root.

        Args:
            root: The content root.
            read: Gives the text form, or None where there is none.

        Raises:
            InvalidInput: It is not the text form of a manifest.
        """
        with self._lock:
            kept = self._manifests.get(root)
            if kept is not None:
                self._manifests.move_to_end(root)
                return kept
            text = read()
            if text is None:
                return None
            manifest = ManifestText(text)
            self.read += 1
            self._manifests[root] = manifest
            while len(self._manifests) > 1 and sum(kept.nbytes for kept in self._manifests.values()) > self._max_bytes:
                self._manifests.popitem(last=False)
            return manifest
