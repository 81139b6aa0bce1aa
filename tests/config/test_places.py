"""Where a file of tokens may be: nowhere that others can read, replace or redirect."""

import os
import stat
from pathlib import Path

import pytest

from gateway.config.places import check_file_place


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


def check(path: Path) -> str:
    return check_file_place(str(path)) or ""


def test_a_file_of_this_user_in_a_directory_of_its_own_is_fine(directory: Path) -> None:
    path = directory / "tokens.json"
    assert check(path) == ""
    path.touch(mode=0o600)
    assert check(path) == ""
    path.chmod(0o400)
    assert check(path) == ""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o660, 0o666, 0o644])
def test_a_file_that_others_may_read_or_write_is_refused(directory: Path, mode: int) -> None:
    path = directory / "tokens.json"
    path.touch()
    path.chmod(mode)
    assert check(path) == f"file {path} is open to other users; run: chmod 600 {path}"


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o703, 0o704, 0o1777])
def test_a_directory_that_everybody_may_read_or_write_is_refused(
    directory: Path, mode: int
) -> None:
    directory.chmod(mode)
    assert check(directory / "tokens.json") == (
        f"directory {directory} is open to every user; "
        f"use another one: mkdir -m 700 {directory}/rc-gateway"
    )


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o770, 0o711])
def test_a_directory_that_not_everybody_may_read_is_fine(directory: Path, mode: int) -> None:
    directory.chmod(mode)
    assert check(directory / "tokens.json") == ""


def test_a_directory_that_is_not_there_is_named_with_what_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "no such" / "tokens.json"
    reason = f"directory {path.parent} does not exist; run: mkdir -p -m 700 '{path.parent}'"
    assert check(path) == reason


def test_what_is_no_file_or_no_directory_is_refused(directory: Path) -> None:
    file = directory / "file"
    file.touch(mode=0o600)
    assert check(file / "tokens.json") == f"{file} is no directory"
    (directory / "deeper").mkdir()
    assert check(directory / "deeper") == f"{directory / 'deeper'} is not a regular file"
    os.mkfifo(directory / "pipe")
    assert check(directory / "pipe") == f"{directory / 'pipe'} is not a regular file"


def test_a_link_is_refused_wherever_it_leads(directory: Path) -> None:
    (directory / "target").touch(mode=0o600)
    for target in ("target", "nowhere"):
        link = directory / f"link-to-{target}"
        link.symlink_to(directory / target)
        assert check(link) == f"{link} is a symbolic link; write the path of the file itself"


def test_a_file_of_another_user_is_refused(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = directory / "tokens.json"
    path.touch(mode=0o600)
    seen = path.stat()
    monkeypatch.setattr(Path, "lstat", lambda self: owned_by(os.geteuid() + 1, seen))
    reason = f"file {path} belongs to another user; choose a file of this user"
    assert check(path) == reason


def test_a_directory_of_root_is_as_good_as_ones_own(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = directory.stat()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(Path, "stat", lambda self: owned_by(0, seen))
    monkeypatch.setattr(Path, "lstat", lambda self: owned_by(1000, seen))
    assert "is not a regular file" in check(directory / "tokens.json")


def test_a_directory_of_another_user_is_refused(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = directory.stat()
    monkeypatch.setattr(Path, "stat", lambda self: owned_by(os.geteuid() + 1, seen))
    reason = f"directory {directory} belongs to another user; choose one of this user"
    assert check(directory / "tokens.json") == reason


def owned_by(user: int, seen: os.stat_result) -> os.stat_result:
    fields = list(seen)
    fields[stat.ST_UID] = user
    return os.stat_result(fields)


def test_a_path_that_cannot_be_looked_at_is_refused(directory: Path) -> None:
    path = directory / ("x" * 300)
    assert check(path) == f"{path} cannot be looked at: File name too long"
