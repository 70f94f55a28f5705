"""The C library's allocator, told to give back to the system what is freed.

glibc keeps an arena for each thread that allocates, and after the first large block that is freed it keeps larger and
larger ones for itself. A node has many threads and answers of megabytes, and under strangers' load it grew by the
minute. Another C library is left as it is.
"""

from __future__ import annotations

import ctypes
from typing import Final

M_MMAP_THRESHOLD: Final = -3
M_ARENA_MAX: Final = -8
"""Both as in glibc's malloc.h; see mallopt(3)."""
ARENAS: Final = 2
LARGE: Final = 2**20
"""Bytes from which on a block is a mapping of its own, which goes back at once when it is freed."""


def keep_memory_small() -> bool:
    """Bound what freed memory the process keeps; to be called before threads are started.

    Returns:
        Whether the C library can be told so.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(
        mallopt(option, value) for option, value in ((M_ARENA_MAX, ARENAS), (M_MMAP_THRESHOLD, LARGE))
    )
