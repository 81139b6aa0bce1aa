"""A rotation in the file at an argument's path, killed before each step of it in turn.

For every step a child rotates the entry and dies there, then another child looks at what
is left and puts the old value back. One line of JSON is printed for each step.
"""

import asyncio
import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from gateway.stores.file import FileStore
from gateway.stores.store import Lease
from tests.stores.telling import Told

KEY = "token:ringcentral"
CALLS = ("open", "close", "fstat", "fsync", "replace", "unlink", "utime")


class Countdown:
    """Kills the process instead of the call that is the last."""

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


def store_at(path: str, told: Told) -> FileStore:
    return FileStore(path, told, lease_s=3600.0, lock_wait_s=0.0)


async def take(store: FileStore) -> Lease:
    lease = await store.lease(KEY)
    assert lease is not None
    return lease


async def rotate(path: str, last: int, answer: int) -> None:
    """Write the new value; say so when it is promised to be on disk."""
    store = store_at(path, Told())
    # Threads begin with calls of their own; this one is there before anything is counted.
    await store.read(KEY)
    countdown = Countdown(last)
    for name in CALLS:
        countdown.watch(os, name)
    countdown.watch(fcntl, "flock")
    lease = await take(store)
    assert await lease.write(b"new")
    os.write(answer, b'"promised"')
    await lease.release()
    await store.close()


async def look(path: str, answer: int) -> None:
    """Tell what is there, as the next process finds it; then write the old value."""
    told = Told()
    store = store_at(path, told)
    entry = await store.read(KEY)
    lease = await take(store)
    assert await lease.write(b"old")
    await store.close()
    found = None if entry is None else (entry.version, entry.value.decode())
    os.write(answer, json.dumps({"found": found, "next": lease.fence, "told": told.lines}).encode())


def in_child(work: Callable[[int], Coroutine[Any, Any, None]]) -> tuple[int, Any]:
    """Run work in a child of its own; return how it ended, and what it answered."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        asyncio.run(work(writing))
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(text or b"null")


def walk(path: str) -> None:
    in_child(partial(look, path))
    last, code = 0, -signal.SIGKILL
    while code == -signal.SIGKILL:
        last += 1
        code, promised = in_child(partial(rotate, path, last))
        _, seen = in_child(partial(look, path))
        sys.stdout.write(json.dumps({"code": code, "promised": promised is not None, **seen}))
        sys.stdout.write("\n")


if __name__ == "__main__":
    walk(sys.argv[1])
