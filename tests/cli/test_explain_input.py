"""From pasted words to the head that would arrive."""

import argparse

import pytest

from gateway.cli.curl import add_request_options
from gateway.cli.explain_input import build_head
from gateway.config.binds import Bind
from gateway.core.headers import Field
from gateway.core.message import Listener, RawHead

BIND = Bind("127.0.0.1", 8080)
HOST = (b"Host", b"127.0.0.1:8080")


def build(*words: str, bind: Bind = BIND) -> RawHead:
    parser = argparse.ArgumentParser()
    add_request_options(parser)
    return build_head(parser.parse_args(words), bind)


def test_a_path_is_a_get_with_our_own_name() -> None:
    raw = build("/x")
    assert (raw.method, raw.target, raw.version) == (b"GET", b"/x", b"HTTP/1.1")
    assert raw.fields == (HOST,)
    assert raw.listener == Listener(8080, loopback=True)


@pytest.mark.parametrize(
    ("words", "method", "fields"),
    [
        (["-d", "ab"], b"POST", [HOST, (b"Content-Length", b"2")]),
        (["-d", ""], b"POST", [HOST, (b"Content-Length", b"0")]),
        (["-X", "PUT", "-d", "ab"], b"PUT", [HOST, (b"Content-Length", b"2")]),
        (["-H", "content-length: 9", "-d", "ab"], b"POST", [HOST, (b"content-length", b"9")]),
        (
            ["-H", "Transfer-Encoding: chunked", "-d", "ab"],
            b"POST",
            [HOST, (b"Transfer-Encoding", b"chunked")],
        ),
        (["-H", "host: a", "-H", "Host: b"], b"GET", [(b"host", b"a"), (b"Host", b"b")]),
    ],
)
def test_only_what_every_client_adds_is_added(
    words: list[str], method: bytes, fields: list[Field]
) -> None:
    raw = build(*words, "/x")
    assert raw.method == method
    assert raw.fields == tuple(fields)


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("https://platform.ringcentral.com/restapi", b"platform.ringcentral.com"),
        ("http://h:1?x", b"h:1"),
        ("nonsense", b"127.0.0.1:8080"),
    ],
)
def test_a_url_names_its_host(target: str, host: bytes) -> None:
    assert build(target).fields == ((b"Host", host),)


@pytest.mark.parametrize(
    ("bind", "host", "listener"),
    [
        (Bind("::1", 8080), b"[::1]:8080", Listener(8080, loopback=True)),
        (Bind("0.0.0.0", 8080), b"localhost:8080", Listener(8080)),
        (Bind("127.0.0.1", 0), b"127.0.0.1", Listener(0, loopback=True)),
        (Bind(path="/run/x.sock"), b"localhost", Listener()),
    ],
)
def test_host_is_how_a_client_would_reach_us(bind: Bind, host: bytes, listener: Listener) -> None:
    raw = build("/x", bind=bind)
    assert raw.fields == ((b"Host", host),)
    assert raw.listener == listener


def test_bytes_that_are_no_text_stay_as_they_were_typed() -> None:
    raw = build("-X", "\udcff", "-H", "a: \udce9", "/\udce9")
    assert (raw.method, raw.target, raw.fields[1]) == (b"\xff", b"/\xe9", (b"a", b"\xe9"))
