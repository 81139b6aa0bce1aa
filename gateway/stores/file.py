"""The store in a file: survives a restart, and is shared by the processes of one machine.

Each operation locks, reads the whole file, changes it and replaces it; it has a handful
of entries, so simple is fast enough. Work on the disk is done in a thread, one at a time.

Rule 1: the file's place is looked at before each use: what became open to others is
        neither read nor written any more.
Rule 2: a file that is no store's never stops the gateway: it is put aside, and told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from gateway.config.places import check_file_place
from gateway.stores.book import Book, NoBook, parse_book, render_book
from gateway.stores.doors import find_bar, shut_door
from gateway.stores.events import Events
from gateway.stores.file_access import (
    Busy,
    FileLease,
    is_leased,
    locked,
    put_aside,
    read_file,
    replace_file,
    take_lease,
)
from gateway.stores.health import Health
from gateway.stores.leases import Grip, Leases
from gateway.stores.store import Bar, Entry, Lease, Receipt, StoreDown
from gateway.stores.waiting import wait_until
from gateway.stores.window import spend_one, take_one_back

T = TypeVar("T")


class FileStore:
    """A store at a path; `clock` is seconds since 1970, as the budgets in the file are."""

    def __init__(
        self,
        path: str,
        events: Events,
        *,
        lease_s: float = 10.0,
        poll_s: float = 0.05,
        lock_wait_s: float = 2.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = Path(path)
        self._events = events
        self._poll_s = poll_s
        self._lock_wait_s = lock_wait_s
        self._clock = clock
        self._health = Health(events)
        self._leases = Leases(lease_s)
        self._turn = asyncio.Lock()
        # Why the file was put aside, and where; until it is told.
        self._broken: tuple[str, str] | None = None

    @property
    def trouble(self) -> str | None:
        """Return why the file could not be used when it last was to be."""
        return self._health.trouble

    async def read(self, key: str) -> Entry | None:
        """Return the entry of a key."""
        return await self._change(lambda book: book.entries.get(key))

    async def keep(self, key: str, for_s: float) -> bool:
        """Have an entry forgotten so many seconds from now."""
        return await self._change(lambda book: book.keep(key, self._clock() + for_s))

    async def lease(self, key: str, *, floor: int = 0) -> Lease | None:
        """Take the lease on a key unless a living process holds it."""
        return await self._leases.take(lambda: self._grasp(key, floor))

    async def changed(self, key: str, version: int, timeout_s: float) -> bool:
        """Look at the file and the lease until one of them is news."""

        def is_news(book: Book) -> bool:
            entry = book.entries.get(key)
            newer = entry is not None and entry.version > version
            return newer or not is_leased(self._lease_path(key), self._leases.lease_s)

        return await wait_until(lambda: self._change(is_news), timeout_s, self._poll_s)

    async def spend(self, key: str, limit: int, window_s: float) -> float:
        """Spend one, or return the seconds until one is free."""
        bar = await self.enter((), key, limit, window_s)
        return bar.wait_s if isinstance(bar, Bar) else 0.0

    async def shut(self, door: str, for_s: float) -> None:
        """Keep a door shut for so many seconds."""
        await self._change(lambda book: shut_door(book.doors, door, self._clock(), for_s))

    async def enter(
        self, doors: Sequence[str], key: str, limit: int, window_s: float
    ) -> Bar | Receipt:
        """Spend one if all these doors are open, or return what keeps from it."""

        def enter(book: Book) -> Bar | Receipt:
            now = self._clock()
            bar = find_bar(book.doors, doors, now)
            if bar is not None:
                return bar
            spent = book.budgets.get(key, [])
            book.budgets[key], wait_s = spend_one(spent, now, limit, window_s)
            return Bar("", wait_s) if wait_s else Receipt(key, now)

        return await self._change(enter)

    async def take_back(self, receipt: Receipt) -> None:
        """Count no longer what was spent in vain."""

        def take_back(book: Book) -> None:
            left = take_one_back(book.budgets.pop(receipt.key, ()), receipt.at)
            if left:
                book.budgets[receipt.key] = left

        await self._change(take_back)

    async def close(self) -> None:
        """Release every lease."""
        await self._leases.release()

    async def write(self, key: str, entry: Entry) -> bool:
        """Keep an entry unless a newer one is there."""
        return await self._change(lambda book: book.write(key, entry))

    async def renew(self, held: FileLease) -> bool:
        """Let the time of a lease begin anew."""
        return await self._ask(held.renew)

    async def _grasp(self, key: str, floor: int) -> Grip | None:
        held: list[FileLease] = []

        def take(book: Book) -> Grip | None:
            lease = take_lease(self._lease_path(key), self._leases.lease_s)
            if lease is None:
                return None
            held.append(lease)
            return _FileGrip(self, key, lease, book.next_fence(key, floor))

        try:
            return await self._change(take)
        except StoreDown:
            # The fence could not be kept, so it is none.
            for lease in held:
                lease.free()
            raise

    async def _change(self, change: Callable[[Book], T]) -> T:
        async with self._turn:
            try:
                result = await self._ask(lambda: self._change_file(change))
            finally:
                if self._broken is not None:
                    self._events.store_broken(*self._broken)
                    self._broken = None
            self._health.succeed()
            return result

    async def _ask(self, work: Callable[[], T]) -> T:
        """Work in a thread; the one border where a failure becomes `StoreDown`."""
        try:
            return await asyncio.to_thread(work)
        except _Refused as refused:
            raise self._health.fail(str(refused)) from None
        except Busy:
            raise self._health.fail(f"{self._path} is locked by another process") from None
        except OSError as error:
            raise self._health.fail(f"{self._path}: {error.strerror}") from None

    def _change_file(self, change: Callable[[Book], T]) -> T:
        """Read, change and replace the file; in a thread."""
        wrong = check_file_place(str(self._path))
        if wrong is not None:
            raise _Refused(wrong)
        with locked(self._path.with_name(f"{self._path.name}.lock"), self._lock_wait_s):
            book, text = self._load()
            book.forget(self._clock())
            result = change(book)
            fresh = render_book(book)
            # While in trouble, only a write proves that it is over.
            if fresh != text or self.trouble is not None:
                replace_file(self._path, fresh)
        return result

    def _load(self) -> tuple[Book, bytes]:
        """Return the book, and the text that would say the same."""
        text = read_file(self._path)
        if text is not None:
            try:
                return parse_book(text), text
            except NoBook as broken:
                self._broken = str(broken), str(put_aside(self._path))
        return Book(), render_book(Book())

    def _lease_path(self, key: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{quote(key, safe='')}.lock")


class _Refused(Exception):
    """The file may not be used where it is; the text says why."""


class _FileGrip:
    def __init__(self, store: FileStore, key: str, held: FileLease, fence: int) -> None:
        self._store = store
        self._key = key
        self._held = held
        self.fence = fence

    async def renew(self) -> bool:
        return await self._store.renew(self._held)

    async def write(self, value: bytes) -> bool:
        return await self._store.write(self._key, Entry(self.fence, value))

    async def free(self) -> None:
        self._held.free()
