"""Sealing: what was sealed opens under its own key, name and version, and nowhere else."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.secret import Secret
from gateway.stores.memory import MemoryStore
from gateway.stores.sealed import Sealed, seal, unseal
from gateway.stores.store import Entry, Lease, Store
from tests.stores.telling import Told

KEY = "token:ringcentral"
ONE, TWO = Secret(b"1" * 32), Secret(b"2" * 32)
CIPHER = AESGCM(ONE.reveal())


async def take(store: Store, key: str = KEY) -> Lease:
    lease = await store.lease(key)
    assert lease is not None
    return lease


async def put(store: Store, value: bytes, key: str = KEY) -> int:
    lease = await take(store, key)
    assert await lease.write(value)
    await lease.release()
    return lease.fence


@given(st.text(), st.integers(0, 2**63), st.binary())
def test_what_is_sealed_opens_to_what_it_was(key: str, version: int, value: bytes) -> None:
    sealed = seal(CIPHER, key, Entry(version, value))
    assert unseal(CIPHER, key, Entry(version, sealed)) == value


@given(st.binary(), st.data())
def test_a_changed_or_cut_text_does_not_open(value: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal(CIPHER, KEY, Entry(1, value)))
    place = data.draw(st.integers(0, len(sealed) - 1))
    assert unseal(CIPHER, KEY, Entry(1, bytes(sealed[:place]))) is None
    sealed[place] ^= data.draw(st.integers(1, 255))
    assert unseal(CIPHER, KEY, Entry(1, bytes(sealed))) is None


@given(st.binary())
def test_what_was_never_sealed_does_not_open(value: bytes) -> None:
    assert unseal(CIPHER, KEY, Entry(1, value)) is None


def test_what_was_moved_to_another_name_or_version_does_not_open() -> None:
    sealed = seal(CIPHER, KEY, Entry(1, b"token"))
    assert unseal(CIPHER, "token:other", Entry(1, sealed)) is None
    assert unseal(CIPHER, KEY, Entry(2, sealed)) is None


def test_a_value_is_never_sealed_to_the_same_text_twice() -> None:
    assert len({seal(CIPHER, KEY, Entry(1, b"token")) for _ in range(100)}) == 100


async def test_the_store_below_never_sees_a_value(told: Told) -> None:
    below = MemoryStore()
    fence = await put(Sealed(below, ONE, told), b"s3cr3t")
    entry = await below.read(KEY)
    assert entry is not None
    assert entry.version == fence
    assert b"s3cr3t" not in entry.value
    assert "s3cr3t" not in repr(entry)


async def test_what_cannot_be_opened_is_absent_and_told_once_until_it_can(told: Told) -> None:
    below = MemoryStore()
    mine, theirs = Sealed(below, ONE, told), Sealed(below, TWO, Told())
    for _ in range(2):
        await put(theirs, b"theirs")
        assert await mine.read(KEY) is None
        assert await mine.read(KEY) is None
    line = f"unreadable: {KEY}: it was sealed with another key, or changed"
    assert told.lines == [line]
    fence = await put(mine, b"mine")
    assert await mine.read(KEY) == Entry(fence, b"mine")
    await put(theirs, b"theirs")
    assert await mine.read(KEY) is None
    assert told.lines == [line, line]


async def test_what_cannot_be_opened_is_no_news(told: Told) -> None:
    below = MemoryStore()
    mine, theirs = Sealed(below, ONE, told), Sealed(below, TWO, Told())
    await put(theirs, b"theirs")
    await take(theirs)
    assert await mine.read(KEY) is None
    assert not await mine.changed(KEY, 0, 0.01)


async def test_a_plain_value_of_before_the_key_was_set_is_absent(told: Told) -> None:
    below = MemoryStore()
    await put(below, b"plain")
    assert await Sealed(below, ONE, told).read(KEY) is None


async def test_it_is_well_when_the_store_below_is(told: Told) -> None:
    below = MemoryStore()
    sealed = Sealed(below, ONE, told)
    assert sealed.trouble is None
    below.trouble = "down"
    assert sealed.trouble == "down"


async def test_a_sealed_lease_is_lost_when_the_lease_below_is(told: Told) -> None:
    lease = await take(Sealed(MemoryStore(), ONE, told))
    assert not lease.is_lost
