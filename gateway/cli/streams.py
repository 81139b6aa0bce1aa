"""The three standard streams, as a program may find them: closed, full, or with nobody behind.

Rule 1: a descriptor that is closed is opened to nowhere first of all. Whatever is opened next
        would get its number, and an event loop refuses to close such a one.
Rule 2: output for which there is no room is told of in one line, and by the exit code; what
        serves goes on without it, and waits for no reader (`ops.log_stream`).
"""

from __future__ import annotations

import errno
import io
import os
import sys

# What a write that finds no room, or no medium, raises.
_NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def settle_streams() -> None:
    """Open what is closed, and have names shown that the terminal's encoding cannot show."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number, which is this one.
            os.open(os.devnull, os.O_RDWR)
    # None where the interpreter was started with it closed.
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def forget_stdout() -> None:
    """Keep the interpreter from complaining, on its way out, of what it could not write."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def is_unwritten(error: OSError) -> bool:
    """Tell whether an error says that there is no room for output."""
    return error.errno in _NOT_WRITTEN
