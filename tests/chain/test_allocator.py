"""A node with many threads does not keep an arena of freed memory for each of them."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import textwrap

from tests.fixtures.tools import need

THREADS = 8
PROGRAM = f"""
    import ctypes, sys, threading
    from registry.base.allocator import keep_memory_small

    assert sys.argv[1] == "as it is" or keep_memory_small()
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    together = threading.Barrier({THREADS})

    def allocate():
        together.wait()
        libc.free(ctypes.c_void_p(libc.malloc(1000)))
        together.wait()

    threads = [threading.Thread(target=allocate) for _ in range({THREADS})]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
    libc.fflush(None)
"""


def arenas(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), how], capture_output=True, text=True, check=True
    )
    return len(re.findall("<heap nr=", done.stdout))


def test_threads_share_two_arenas() -> None:
    need(platform.libc_ver()[0] == "glibc", "mallopt is glibc's: run the tests on a Linux with it")
    assert arenas("as it is") > 2
    assert arenas("small") <= 2
