"""One question to the ops listener, answered or not."""

import socket
import threading
from http.client import HTTPConnection
from pathlib import Path

import pytest

from gateway.cli.ops_listener import TIMEOUT_S, NoAnswer, UnixConnection, ask


def answer_once(listening: socket.socket, answer: bytes) -> threading.Thread:
    def serve() -> None:
        connection, _ = listening.accept()
        connection.recv(65536)
        connection.sendall(answer)
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_the_beginning_of_an_answer_is_returned() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = answer_once(listening, OK)
        port = listening.getsockname()[1]
        assert ask(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S), "/x", 4) == (200, b"hell")
        thread.join()


def test_a_unix_socket_is_asked_the_same_way(tmp_path: Path) -> None:
    path = str(tmp_path / "ops.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(path)
        listening.listen()
        thread = answer_once(listening, OK)
        assert ask(UnixConnection(path), "/x", 99) == (200, b"hello")
        thread.join()


def test_nobody_there_is_said_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match=r"^No such file or directory$"):
        ask(UnixConnection(str(tmp_path / "none")), "/x", 1)


def test_what_is_no_http_is_said_in_a_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = answer_once(listening, b"SSH-2.0-x\r\n")
        with pytest.raises(NoAnswer):
            ask(HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=3), "/x", 1)
        thread.join()
