"""The memory of a process that serves: what is looked at again, and what is given back.

What is built at start lives as long as the process, so that collecting garbage among it
again and again is of no use; and a request leaves little behind that only a collection
finds.

glibc returns the top of the heap to the kernel as soon as a little of it is free, takes it
again for the next body page by page, and moves its threshold for blocks of their own as
such blocks are freed. Both are set to what a relay needs, so that memory is steady.

Rule: called once, when everything stands.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

# With this, and what was built at start left out, a request costs 0.91 of the CPU and the process
# a megabyte more (64 connections, median of 11 paired runs; 0.96 with Python's 700). 20,000 and
# 100,000 gain nothing further.
_YOUNG_OBJECTS = 10_000

# malloc.h: the parameters of mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# Bodies move in pieces of at most 512 KiB, of which a few are joined.
_OWN_BLOCK_BYTES = 1 << 20
# The pieces of some dozens of busy connections. Without it a MiB costs 1.5 times the CPU in bodies
# of 1 MiB, up or down: 180 page faults instead of none.
_KEPT_BYTES = 16 << 20


def settle_memory() -> None:
    """Keep collections away from what was built at start, and freed pages for what comes next."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
    # A libc without these knobs stays as it is.
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _OWN_BLOCK_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
