"""Bytes over 0x7F in a target: judged by name and, if wanted, repaired, as `explain` says."""

import json

import pytest

from tests.wire import OK, PATH, answering, request, running, scripted, values

RAW = f"GET {PATH}?a=b&q=caf\u00e9\u00ff&c=\u0080 HTTP/1.1"


async def test_a_refusal_names_the_parameter_the_byte_and_what_to_send() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        status, head, body = await gateway.ask(request(RAW))
        assert (status, values(head, b"x-gateway-error")) == (400, [b"bad-query"])
        told = json.loads(body)
        assert told["errors"][0]["parameterName"] == "q"
        assert "parameter 'q', byte 9: '\\xe9' must be sent as %E9" in told["message"]
        assert upstream.connections == 0
        assert gateway.records[0].asked.path == PATH.encode()


@pytest.mark.parametrize(
    ("mode", "sent"),
    [
        ("repair", b"?a=b&q=caf%E9%FF&c=%80"),
        ("report", b"?a=b&q=caf\xe9\xff&c=\x80"),
        ("off", b"?a=b&q=caf\xe9\xff&c=\x80"),
    ],
)
async def test_other_modes_repair_exactly_these_bytes_or_let_them_pass(
    mode: str, sent: bytes
) -> None:
    seen: list[tuple[bytes, bytes]] = []
    script = scripted(answering(OK, seen=seen))
    async with script as upstream, running(upstream.origin, f"query.mode={mode}") as gateway:
        peer = await gateway.dial()
        await peer.send(request(RAW) * 2 + request())
        for _ in range(3):
            assert (await peer.read_answer())[0] == 200
        peer.close()
        assert len(gateway.records[0].asked.findings) == (0 if mode == "off" else 3)
    lines = [head.partition(b"\r\n")[0] for head, _ in seen]
    assert lines[:2] == [b"GET " + PATH.encode() + sent + b" HTTP/1.1"] * 2
    assert lines[2] == f"GET {PATH} HTTP/1.1".encode()


async def test_a_path_is_refused_with_what_to_send() -> None:
    async with running("http://127.0.0.1:1") as gateway:
        status, _, body = await gateway.ask(request(f"GET {PATH}/\u00fc HTTP/1.1"))
        assert status == 400
        assert b"send it as %FC" in body


@pytest.mark.parametrize(
    "line", ["G\u00c9T / HTTP/1.1", "GET / HTTP/1.\u00b9", "GET \u00e9 HTTP/1.1"]
)
async def test_elsewhere_in_a_request_line_they_are_malformed(line: str) -> None:
    async with running("http://127.0.0.1:1") as gateway:
        status, head, _ = await gateway.ask(request(line))
        assert (status, values(head, b"x-gateway-error")) == (400, [b"bad-request"])


async def test_a_body_that_looks_like_its_own_head_is_not_touched() -> None:
    seen: list[tuple[bytes, bytes]] = []
    script = scripted(answering(OK, seen=seen))
    async with script as upstream, running(upstream.origin, "query.mode=off") as gateway:
        head = request(RAW.replace("GET", "POST"), "Content-Length: 1000")
        body = (head * 20)[:1000]
        peer = await gateway.dial()
        await peer.send(head)
        await peer.send(body[: len(head)])
        await peer.send(body[len(head) :])
        assert (await peer.read_answer())[0] == 200
        peer.close()
    assert seen[0][1] == body
