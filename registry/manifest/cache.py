"""A cache of recently requested manifests. A large one takes a second to read and is requested repeatedly."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from registry.base.primitives import Bytes32
from registry.manifest.text import ManifestText

MAX_BYTES: Final = 96 * 2**20
"""The memory of all cached manifests: two of the largest that a gateway accepts."""


class ManifestCache:
    """Keeps manifests by their roots. Thread-safe: one thread reads a manifest, the others wait for it.

    Args:
        max_bytes: The memory of all cached manifests; the latest is kept even if it alone exceeds it.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._manifests: OrderedDict[Bytes32, ManifestText] = OrderedDict()
        self._lock = threading.Lock()
        self.read = 0
        """The number of manifests that were read."""

    def get(self, root: Bytes32, read: Callable[[], bytes | None]) -> ManifestText | None:
        """Return the manifest with a root; None if there is none.

        Args:
            root: The content root.
            read: Returns the text form; None if there is none.

        Raises:
            InvalidInput: The text is not the text form of a manifest.
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
