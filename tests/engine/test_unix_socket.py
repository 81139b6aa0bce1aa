"""A socket's file is taken over from nobody else, and removed only while it is ours."""

import errno
import socket
from pathlib import Path

import pytest

from gateway.engine.unix_socket import files_of, open_unix


def test_a_file_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    open_unix(path, 1).close()
    with open_unix(path, 1) as sock:
        assert not sock.getblocking()
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))


def test_a_listener_with_a_full_queue_is_not_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with open_unix(path, 0), socket.socket(socket.AF_UNIX) as waiting:
        waiting.connect(str(path))
        with pytest.raises(OSError, match="in use") as caught:
            open_unix(path, 1)
    assert caught.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize("kind", ["file", "folder", "link to nowhere"])
def test_what_is_no_socket_is_in_the_way_and_stays(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "s"
    match kind:
        case "file":
            path.touch()
        case "folder":
            path.mkdir()
        case _:
            path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError, match="non-socket") as caught:
        open_unix(path, 1)
    assert caught.value.errno == errno.ENOTSOCK
    assert list(tmp_path.iterdir()) == [path]


def test_our_file_is_removed_and_who_waits_in_the_queue_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with open_unix(path, 1) as sock, socket.socket(socket.AF_UNIX) as waiting:
        (file,) = files_of([sock])
        waiting.connect(str(path))
        file.remove()
        assert not path.exists()
        file.remove()
        accepted, _ = sock.accept()
        accepted.close()


def test_the_file_of_another_listener_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with open_unix(path, 1) as ours:
        (file,) = files_of([ours])
        path.unlink()
        with open_unix(path, 1):
            file.remove()
            assert path.is_socket()


def test_tcp_has_no_file() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        assert files_of([sock]) == []
