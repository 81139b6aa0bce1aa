"""What is told of the outbound head is what an upstream receives."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gateway.cli import main
from gateway.cli.explain_outbound import show_target

TOKEN = "s3cr3t"


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (b"/x?a=1&access_token=s3cr3t", "/x?a=1&access_token=********"),
        (b"http://h/x?token=s3cr3t#y", "http://h/x?token=********#…"),
        (b"/x#access_token=s3cr3t", "/x#…"),
        (b"http://u:s3cr3t@h/x", "/x"),
        (b"/api/auth/logout/s3cr3t?a", "/api/auth/…?a"),
        (b"s3cr3t", "…"),
        (b"/\xff\x1b?\n", "/\\xff\\x1b?\\x0a"),
        (b"/x?", "/x?"),
    ],
)
def test_a_target_is_shown_without_its_secrets(target: bytes, shown: str) -> None:
    assert show_target(target) == shown


class Upstream:
    """Takes one request and keeps its bytes."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.origin = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def receive(self) -> bytes:
        connection, _ = self._listener.accept()
        with connection:
            received = b""
            while not received.endswith((b"\r\n\r\n", b"hello")):
                received += connection.recv(65536)
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        return received


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        yield Upstream(listener)


@pytest.fixture
def sets(upstream: Upstream) -> list[str]:
    settings = (
        *("listener.bind=127.0.0.1:0", "ops.bind=127.0.0.1:0"),
        *(f"upstreams.{name}.origin={upstream.origin}" for name in ("platform", "media")),
        *("credentials.ringcentral.grant=static", f"credentials.ringcentral.token=literal:{TOKEN}"),
        *("query.plus=repair", "limits.replay_body_bytes=16"),
    )
    return [word for setting in settings for word in ("--set", setting)]


@pytest.fixture
def port(sets: list[str]) -> Iterator[int]:
    words = [sys.executable, "-m", "gateway", "serve", *sets]
    environ = {name: os.environ[name] for name in os.environ if not name.startswith("RC")}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environ) as gateway:
        assert gateway.stdout is not None
        listening = json.loads(gateway.stdout.readline())
        yield int(listening["binds"][0].rpartition(":")[2])
        gateway.terminate()
        assert gateway.wait(20) == 0


# One gateway for all of these: starting one takes half a second.
REQUESTS = (
    ["/restapi/v1.0/account/~?to=+16505550100&access_token=x&_method=GET"],
    ["-X", "DELETE", "-H", "Accept: */*", "-H", "accept: b", "/media/restapi/v1.0/%7E//x?a="],
    [
        *("-X", "POST", "-H", "X-HTTP-Method-Override: PUT", "-H", "Via: 1.0 x", "-d", "hello"),
        *("-H", "Authorization: x", "-H", "X_Real_IP: y", "-H", "Content-Type: a/b", "/restapi"),
    ],
    ["-H", "Transfer-Encoding: chunked", "-d", "hello", "-H", "Connection: a", "-H", "a: b", "/ai"],
)


def start_curl(port: int, words: list[str]) -> subprocess.Popen[bytes]:
    """Send the request that is explained, without what curl adds by itself."""
    added = [
        *("-H", "User-Agent:"),
        *(["-H", "Accept:"] if "Accept: */*" not in words else []),
        *(["-H", "Content-Type:"] if "Content-Type: a/b" not in words else []),
    ]
    url = f"http://127.0.0.1:{port}{words[-1]}"
    return subprocess.Popen(["curl", "--silent", "--path-as-is", "-g", *added, *words[:-1], url])


def test_an_upstream_receives_what_was_explained(
    upstream: Upstream, sets: list[str], port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in REQUESTS:
        assert main(["explain", "--json", *sets, *words]) == 0
        told = json.loads(capsys.readouterr().out)["forwarded"]["head"]
        with start_curl(port, words) as curl:
            head = upstream.receive().partition(b"\r\n\r\n")[0].decode()
            assert curl.wait(20) == 0
        assert head.replace(TOKEN, "********").split("\r\n") == told
