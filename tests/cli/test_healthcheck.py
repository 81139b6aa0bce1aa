"""Asking a gateway whether it is ready, over real sockets."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.healthcheck import DEFAULT_URL, default_url

HEAVY = ("asyncio", "aiohttp", "pydantic", "structlog", "orjson", "uvloop", "prometheus_client")


class Answerer:
    """Answers one connection with canned bytes, and keeps what it was asked."""

    def __init__(self, listener: socket.socket, answer: bytes) -> None:
        self.asked = b""
        self._listener = listener
        self._answer = answer
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> bytes:
        self._thread.join()
        self._listener.close()
        return self.asked

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.asked = connection.recv(65536)
            connection.sendall(self._answer)


READY = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
DRAINING = b"HTTP/1.1 503 Busy\r\nContent-Length: 26\r\n\r\n[-]drain failed: draining\n\x1b"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def url_of(listener: socket.socket, rest: str = "") -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}{rest}"


@pytest.mark.parametrize(
    ("rest", "line"),
    [
        ("", b"GET /readyz HTTP/1.1"),
        ("/livez", b"GET /livez HTTP/1.1"),
        ("/readyz?verbose", b"GET /readyz?verbose HTTP/1.1"),
    ],
)
def test_ready_is_200_and_silence(
    rest: str, line: bytes, listener: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    answerer = Answerer(listener, READY)
    assert main(["healthcheck", url_of(listener, rest)]) == 0
    assert answerer.close().splitlines()[0] == line
    assert capsys.readouterr() == ("", "")


def test_not_ready_says_why(listener: socket.socket, capsys: pytest.CaptureFixture[str]) -> None:
    answerer = Answerer(listener, DRAINING)
    assert main(["healthcheck", url_of(listener)]) == 1
    answerer.close()
    assert capsys.readouterr().err == "not ready: 503\n[-]drain failed: draining\n"


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n"])
def test_what_is_no_answer_is_not_ready(
    answer: bytes, listener: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    answerer = Answerer(listener, answer)
    assert main(["healthcheck", url_of(listener)]) == 1
    answerer.close()
    assert capsys.readouterr().err.startswith("not ready: ")


def test_nobody_there_is_not_ready(
    listener: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    url = url_of(listener)
    listener.close()
    assert main(["healthcheck", url]) == 1
    assert "Connection refused" in capsys.readouterr().err


def test_a_unix_socket_will_do(tmp_path: Path) -> None:
    path = str(tmp_path / "ops.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        answerer = Answerer(listener, READY)
        assert main(["healthcheck", f"unix:{path}"]) == 0
        assert answerer.close().startswith(b"GET /readyz HTTP/1.1\r\n")


@pytest.mark.parametrize("url", ["https://h/", "127.0.0.1:9902", "http://", "http://h:x/"])
def test_a_url_that_cannot_be_asked_is_a_usage_error(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["healthcheck", url]) == 2
    assert "argument URL: " in capsys.readouterr().err


def test_the_default_is_the_default_of_the_configuration() -> None:
    from gateway.config.model import Config

    assert f"http://{Config().ops.bind}/readyz" == DEFAULT_URL


def test_nothing_heavy_is_imported() -> None:
    program = (
        "import sys; from gateway.cli import main; code = main(['healthcheck', 'http://127.0.0.1:1/']);"
        f"print(code, [name for name in {HEAVY} if name in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "1 []\n"


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("10.0.0.1:9000", "http://10.0.0.1:9000/readyz"),
        ('"127.0.0.1:9000"', "http://127.0.0.1:9000/readyz"),
        ("'127.0.0.1:9000'", "http://127.0.0.1:9000/readyz"),
        ("0.0.0.0:9000", "http://localhost:9000/readyz"),
        ("[::]:9000", "http://localhost:9000/readyz"),
        ("[::1]:9000", "http://[::1]:9000/readyz"),
        ("unix:/run/ops.sock", "unix:/run/ops.sock"),
    ],
)
def test_without_a_url_the_environment_of_the_gateway_says_where(bind: str, url: str) -> None:
    assert default_url({"RCGW_OPS__BIND": bind}) == url


def test_without_a_url_and_a_variable_the_default_bind_is_asked() -> None:
    assert default_url({}) == DEFAULT_URL


def test_a_bad_bind_in_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RCGW_OPS__BIND", "garbage")
    assert main(["healthcheck"]) == 1
    assert "RCGW_OPS__BIND: 'garbage' has no port" in capsys.readouterr().err
