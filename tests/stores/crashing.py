"""A process that rotates an entry of the file and kills itself before a step of it.

Arguments: the path, and which call of the system is the last that is not made. It prints
"written" when the write was promised to be on disk.
"""

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from gateway.stores.file import FileStore
from tests.stores.telling import Told

KEY = "token:ringcentral"
STEPS = ("open", "close", "fstat", "fsync", "replace", "unlink", "utime")


class Countdown:
    """Kills the process when it was asked so often."""

    def __init__(self, last: int) -> None:
        self._left = last

    def watch(self, module: Any, name: str) -> None:
        call: Callable[..., Any] = getattr(module, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        setattr(module, name, watched)


async def rotate(path: str, last: int) -> None:
    store = FileStore(path, Told(), lease_s=60.0)
    # The thread that works on the disk, before anything is counted.
    await store.read(KEY)
    countdown = Countdown(last)
    for name in STEPS:
        countdown.watch(os, name)
    countdown.watch(fcntl, "flock")
    lease = await store.lease(KEY)
    assert lease is not None
    assert await lease.write(b"new")
    sys.stdout.write("written\n")
    sys.stdout.flush()
    await lease.release()
    await store.close()


if __name__ == "__main__":
    asyncio.run(rotate(sys.argv[1], int(sys.argv[2])))
