"""A store whose values are sealed with AES-256-GCM before they leave the process.

Whoever reads the file or the Redis learns which keys there are and when they changed; who
writes there can remove or repeat an entry, but not forge one or move it to another name.

Rule 1: what cannot be opened counts as absent, and is told once until it can be again.
Rule 2: the sealed text is bound to its key and version: one version byte, a random nonce
        of 96 bits, then what the cipher made.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.core.secret import Secret
from gateway.stores.events import Events
from gateway.stores.store import Bar, Entry, Lease, Receipt, Store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
# NIST SP 800-38D section 8.3: a random nonce of 96 bits is good for 2**32 values under one
# key; a token that changes every minute takes eight thousand years.
_NONCE_BYTES = 12


class Sealed:
    """A store over another one, which holds only sealed values; `key` has 32 bytes."""

    def __init__(self, store: Store, key: Secret, events: Events) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._store = store
        self._cipher = AESGCM(key.reveal())
        self._events = events
        # The versions that could not be opened, by key.
        self._closed: dict[str, int] = {}

    @property
    def trouble(self) -> str | None:
        """Return why the store below is down."""
        return self._store.trouble

    async def read(self, key: str) -> Entry | None:
        """Return the entry of a key, opened; None when it cannot be."""
        entry = await self._store.read(key)
        if entry is None:
            return None
        value = unseal(self._cipher, key, entry)
        if value is None:
            if key not in self._closed:
                self._events.entry_unreadable(key, "it was sealed with another key, or changed")
            self._closed[key] = entry.version
            return None
        self._closed.pop(key, None)
        return Entry(entry.version, value)

    async def keep(self, key: str, for_s: float) -> bool:
        """Have an entry forgotten so many seconds from now, whether or not it can be opened."""
        return await self._store.keep(key, for_s)

    async def lease(self, key: str, *, floor: int = 0) -> Lease | None:
        """Take the lease on a key; what is written under it is sealed."""
        lease = await self._store.lease(key, floor=floor)
        return None if lease is None else _SealedLease(self._cipher, key, lease)

    async def changed(self, key: str, version: int, timeout_s: float) -> bool:
        """Wait for news; an entry that could not be opened is none."""
        return await self._store.changed(key, max(version, self._closed.get(key, 0)), timeout_s)

    async def spend(self, key: str, limit: int, window_s: float) -> float:
        """Spend one, or return the seconds until one is free; budgets are no secret."""
        return await self._store.spend(key, limit, window_s)

    async def shut(self, door: str, for_s: float) -> None:
        """Keep a door shut for so many seconds; doors are no secret, either."""
        await self._store.shut(door, for_s)

    async def enter(
        self, doors: Sequence[str], key: str, limit: int, window_s: float
    ) -> Bar | Receipt:
        """Spend one if all these doors are open, or return what keeps from it."""
        return await self._store.enter(doors, key, limit, window_s)

    async def take_back(self, receipt: Receipt) -> None:
        """Count no longer what was spent in vain."""
        await self._store.take_back(receipt)

    async def close(self) -> None:
        """Close the store below."""
        await self._store.close()


class _SealedLease:
    def __init__(self, cipher: AESGCM, key: str, lease: Lease) -> None:
        self._cipher = cipher
        self._key = key
        self._lease = lease
        self.fence = lease.fence

    @property
    def is_lost(self) -> bool:
        return self._lease.is_lost

    async def write(self, value: bytes) -> bool:
        sealed = seal(self._cipher, self._key, Entry(self.fence, value))
        return await self._lease.write(sealed)

    async def release(self) -> None:
        await self._lease.release()


def seal(cipher: AESGCM, key: str, entry: Entry) -> bytes:
    """Return the sealed text of an entry's value."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + cipher.encrypt(nonce, entry.value, _bind(key, entry.version))


def unseal(cipher: AESGCM, key: str, entry: Entry) -> bytes | None:
    """Return the value of an entry whose value is sealed; None when it cannot be opened."""
    from cryptography.exceptions import InvalidTag

    version, nonce = entry.value[:1], entry.value[1 : 1 + _NONCE_BYTES]
    if version != _VERSION or len(nonce) != _NONCE_BYTES:
        return None
    try:
        return cipher.decrypt(nonce, entry.value[1 + _NONCE_BYTES :], _bind(key, entry.version))
    except InvalidTag:
        return None


def _bind(key: str, version: int) -> bytes:
    return f"{version}:{key}".encode()
