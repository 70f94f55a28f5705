"""Make glibc's allocator return freed memory to the system.

glibc keeps an arena for each thread that allocates, and raises its threshold for large blocks after the first one is
freed. A node has many threads and answers of megabytes, so its memory grew by the minute under load. Other C libraries
are left unchanged.
"""

from __future__ import annotations

import ctypes
from typing import Final

M_MMAP_THRESHOLD: Final = -3
M_ARENA_MAX: Final = -8
"""Both values are from glibc's malloc.h; see mallopt(3)."""
ARENAS: Final = 2
LARGE: Final = 2**20
"""Blocks of at least this many bytes get a mapping of their own, which is returned as soon as the block is freed."""


def keep_memory_small() -> bool:
    """Limit how much freed memory the process keeps. Call it before threads are started.

    Returns:
        Whether the C library accepted both settings.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(
        mallopt(option, value) for option, value in ((M_ARENA_MAX, ARENAS), (M_MMAP_THRESHOLD, LARGE))
    )
