"""How a process keeps memory: it may see millions of accounts, a page at a time, and run for months."""

from __future__ import annotations

import ctypes
import gc
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # malloc.h of glibc


def keep_memory_flat() -> None:
    """Once, before any work."""
    # Pages of some hundred accounts are built and dropped whole, 300 objects each. Looking for cycles
    # among them every 700 objects took a quarter of the time, every 100,000 an eighth; reference counting
    # frees them either way.
    gc.set_threshold(400_000, 20, 100)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:  # musl has none, and keeps little
        return
    # glibc takes ever larger blocks from its heaps, which are left with holes: a pass held a megabyte more
    # with every thousand accounts. What is large and mapped alone goes back to the system when it is freed.
    mallopt(_MMAP_THRESHOLD, 64 * 1024)
    mallopt(_TRIM_THRESHOLD, 128 * 1024)
    mallopt(_ARENA_MAX, 2)
