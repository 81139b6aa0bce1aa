"""File descriptors: every connection is one, and a process may have only so many.

The usual soft limit is 1024, far below what `limits.max_connections` promises; the hard
limit is usually higher, and a process may raise its soft limit up to it.

Rule: a limit is only ever raised, and never beyond what the configuration can use.
"""

from __future__ import annotations

import errno
import os
import resource
from contextlib import suppress

from gateway.config.model import Limits
from gateway.engine.pipes import MOST_PIPES

# Listening sockets, the operators' connections, the log, look-ups, idle upstream connections,
# and a hundred callers that are told that they are too many; and those of bodies that pass by in
# pipes: two ends, and two sockets once more.
_SPARE = 256 + 4 * MOST_PIPES


def count_needed(limits: Limits) -> int:
    """Return how many descriptors the limits can use: each request may have an upstream's."""
    return limits.max_connections + limits.max_in_flight + _SPARE


def count_callers(limits: Limits, allowed: int) -> int:
    """Return how many caller connections `allowed` descriptors leave room for.

    Half of what is not spare, so that each of them can have an upstream's; at least one.
    """
    if allowed >= count_needed(limits):
        return limits.max_connections
    spare = min(_SPARE, allowed // 2)
    return max(1, min(limits.max_connections, (allowed - spare) // 2))


def are_used_up() -> bool:
    """Tell whether this process can open nothing more."""
    try:
        os.close(os.dup(2))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False


def reserve(count: int) -> None:
    """Make sure that `count` more can be opened, or raise `OSError`."""
    opened: list[int] = []
    try:
        while len(opened) < count:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for descriptor in opened:
            os.close(descriptor)


def raise_limit(needed: int) -> int:
    """Let this process have `needed` descriptors; return how many it may have then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft == resource.RLIM_INFINITY:
        return needed
    if soft < wanted:
        # A sandbox may forbid even this; then what there was is what there is.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
