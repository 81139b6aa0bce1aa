"""Locks and whole files, as the store uses them."""

import os
from pathlib import Path

import pytest

from gateway.stores.file_access import (
    Busy,
    is_leased,
    locked,
    put_aside,
    read_file,
    replace_file,
    take_lease,
)


def test_a_lock_is_held_by_one_and_waited_for_in_vain_by_another(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path, 0), pytest.raises(Busy), locked(path, 0.01):
        pass
    with locked(path, 0):
        pass


def test_a_lease_is_held_until_it_is_freed(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    assert not is_leased(path, 60)
    held = take_lease(path, 60)
    assert held is not None
    assert is_leased(path, 60)
    assert take_lease(path, 60) is None
    assert held.renew()
    held.free()
    assert not is_leased(path, 60)


def test_a_holder_that_stands_still_loses_the_lease_and_knows_it(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    still = take_lease(path, 60)
    assert still is not None
    os.utime(path, (0, 0))
    assert not is_leased(path, 60)
    held = take_lease(path, 60)
    assert held is not None
    assert is_leased(path, 60)
    assert not still.renew()
    still.free()
    assert is_leased(path, 60)
    held.free()


def test_a_renewal_makes_the_time_begin_anew(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    held = take_lease(path, 60)
    assert held is not None
    os.utime(path, (0, 0))
    assert held.renew()
    assert is_leased(path, 60)
    path.unlink()
    assert not held.renew()
    held.free()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"{}")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic"):
        read_file(link)
    with pytest.raises(OSError, match="symbolic"), locked(link, 0):
        pass
    with pytest.raises(OSError, match="symbolic"):
        is_leased(link, 0)


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert read_file(path) is None
    replace_file(path, b"one")
    with path.open("rb") as reading:
        replace_file(path, b"two")
        assert reading.read() == b"one"
    assert read_file(path) == b"two"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_file_is_on_disk_before_it_has_its_name_and_its_name_before_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, replace = os.fsync, os.replace

    def watch_sync(descriptor: int) -> None:
        order.append(f"sync {os.path.basename(os.readlink(f'/proc/self/fd/{descriptor}'))}")
        sync(descriptor)

    def watch_replace(source: Path, target: Path) -> None:
        order.append(f"replace {target.name}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watch_sync)
    monkeypatch.setattr(os, "replace", watch_replace)
    replace_file(tmp_path / "file", b"one")
    assert order == ["sync file.new", "replace file", f"sync {tmp_path.name}"]


def test_what_is_put_aside_keeps_its_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"{")
    assert put_aside(path) == tmp_path / "file.broken"
    assert (tmp_path / "file.broken").read_bytes() == b"{"
    assert not path.exists()
