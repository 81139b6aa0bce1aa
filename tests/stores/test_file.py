"""What only the store in a file does: its place, its modes, its clock, its breaking."""

import os
import stat
from pathlib import Path

import pytest

from gateway.stores.file import FileStore
from gateway.stores.file_access import locked
from gateway.stores.store import Entry, Lease, StoreDown
from gateway.stores.waiting import wait_until
from tests.stores.telling import Told

KEY = "token:ringcentral/~"


async def take(store: FileStore, key: str = KEY) -> Lease:
    lease = await store.lease(key)
    assert lease is not None
    return lease


def put(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    path.chmod(0o600)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def modes(directory: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


async def test_a_restart_finds_what_was_written(file_path: Path, told: Told) -> None:
    before = FileStore(str(file_path), told)
    lease = await take(before)
    await lease.write(b"token")
    await before.close()
    after = FileStore(str(file_path), told)
    assert await after.read(KEY) == Entry(lease.fence, b"token")
    assert (await take(after)).fence == lease.fence + 1
    await after.close()


async def test_nothing_is_written_when_nothing_changed(file_path: Path, told: Told) -> None:
    store = FileStore(str(file_path), told)
    assert await store.read(KEY) is None
    assert await store.changed(KEY, 0, 0)
    assert modes(file_path.parent) == {0o600}
    assert names(file_path.parent) == {"tokens.json.lock"}


async def test_every_file_is_the_owners_alone(file_path: Path, told: Told) -> None:
    before = os.umask(0)
    try:
        store = FileStore(str(file_path), told)
        await (await take(store)).write(b"token")
        await store.close()
    finally:
        os.umask(before)
    assert modes(file_path.parent) == {0o600}
    lease = "tokens.json.token%3Aringcentral%2F~.lock"
    assert names(file_path.parent) == {"tokens.json", "tokens.json.lock", lease}


async def test_what_a_crash_left_half_written_is_replaced(file_path: Path, told: Told) -> None:
    file_path.with_name("tokens.json.new").write_bytes(b"{")
    store = FileStore(str(file_path), told)
    await (await take(store)).write(b"token")
    await store.close()
    assert modes(file_path.parent) == {0o600}


async def test_budgets_outlive_a_crash_loop(file_path: Path, told: Told) -> None:
    now = 1e9
    waits = [
        await FileStore(str(file_path), told, clock=lambda: now).spend("auth:app", 5, 60.0)
        for _ in range(7)
    ]
    assert waits == [0.0] * 5 + [60.0] * 2
    now += 59.75
    store = FileStore(str(file_path), told, clock=lambda: now)
    assert await store.spend("auth:app", 5, 60.0) == 0.25
    now += 0.25
    assert await store.spend("auth:app", 5, 60.0) == 0.0


@pytest.mark.parametrize("text", [b"", b"{", b'{"format": 9}', b"\xff" * 100])
async def test_a_broken_file_is_kept_aside_and_told_once(
    file_path: Path, told: Told, text: bytes
) -> None:
    put(file_path, text)
    store = FileStore(str(file_path), told)
    assert await store.read(KEY) is None
    lease = await take(store)
    await lease.write(b"token")
    await store.close()
    kept = file_path.with_name("tokens.json.broken")
    assert kept.read_bytes() == text
    (line,) = told.lines
    assert line.startswith("broken: it ")
    assert line.endswith(f", kept as {kept}")
    assert await FileStore(str(file_path), told).read(KEY) == Entry(lease.fence, b"token")


async def test_a_file_that_others_may_read_is_not_used_until_it_is_mended(
    file_path: Path, told: Told
) -> None:
    store = FileStore(str(file_path), told)
    lease = await take(store)
    await lease.write(b"token")
    os.chmod(file_path, 0o640)
    reason = f"file {file_path} is open to other users; run: chmod 600 {file_path}"
    for _ in range(2):
        with pytest.raises(StoreDown, match="open to other users"):
            await store.read(KEY)
    assert store.trouble == reason
    with pytest.raises(StoreDown):
        await lease.write(b"more")
    os.chmod(file_path, 0o600)
    assert await store.read(KEY) == Entry(lease.fence, b"token")
    assert store.trouble is None
    assert told.lines == [f"down: {reason}", "back"]
    await store.close()


async def test_a_disk_that_takes_nothing_is_trouble_until_it_takes_something(
    file_path: Path, told: Told
) -> None:
    store = FileStore(str(file_path), told)
    await store.spend("auth:app", 5, 60.0)
    # A directory where the new file should be: what is there can be read, not replaced.
    blocked = file_path.with_name("tokens.json.new")
    blocked.mkdir()
    with pytest.raises(StoreDown, match=r"tokens\.json: "):
        await store.lease(KEY)
    with pytest.raises(StoreDown):
        await store.read(KEY)
    blocked.rmdir()
    assert await store.read(KEY) is None
    assert [line.split(":")[0] for line in told.lines] == ["down", "back"]
    # The lease whose fence could not be kept is not held.
    assert await store.lease(KEY) is not None
    await store.close()


async def test_a_file_that_another_process_does_not_let_go_of_is_trouble(
    file_path: Path, told: Told
) -> None:
    store = FileStore(str(file_path), told, lock_wait_s=0.02)
    busy = pytest.raises(StoreDown, match="is locked by another process")
    with locked(file_path.with_name("tokens.json.lock"), 0), busy:
        await store.read(KEY)
    assert await store.read(KEY) is None
    assert told.lines == [f"down: {file_path} is locked by another process", "back"]


async def test_a_lease_is_lost_when_its_lock_file_is_gone(file_path: Path, told: Told) -> None:
    store = FileStore(str(file_path), told, lease_s=0.05)
    lease = await take(store)
    for path in file_path.parent.glob("*.token*.lock"):
        path.unlink()
    assert await store.changed(KEY, 0, 20)
    other = FileStore(str(file_path), told)
    assert (await take(other)).fence > lease.fence
    await other.close()
    await store.close()


async def test_a_renewal_sets_the_time_of_the_lock_file(file_path: Path, told: Told) -> None:
    store = FileStore(str(file_path), told, lease_s=3.0)
    await take(store)
    (lock,) = file_path.parent.glob("*.token*.lock")
    os.chmod(file_path, 0o640)
    with pytest.raises(StoreDown):
        await store.read(KEY)
    os.utime(lock, (0, 0))

    async def is_renewed() -> bool:
        return os.stat(lock).st_mtime > 0

    assert await wait_until(is_renewed, 20, 0.01)
    # That the lock could be renewed does not say that the file can be used again.
    assert "is open to other users" in str(store.trouble)
    await store.close()


async def test_a_place_that_cannot_be_looked_at_is_trouble(tmp_path: Path, told: Told) -> None:
    store = FileStore(str(tmp_path / "none" / "tokens.json"), told)
    with pytest.raises(StoreDown, match="does not exist; run: mkdir -p -m 700"):
        await store.read(KEY)
