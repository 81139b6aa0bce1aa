"""What no caller may send: the answer it gets, and that nothing of it goes any further."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import MethodNotAllowed
from tests.wire import OK, Upstream, answering, request, running, scripted, values

VECTORS = Path(__file__).parents[1] / "vectors" / "engine_refused.toml"
CASES: list[dict[str, Any]] = tomllib.loads(VECTORS.read_text(encoding="utf-8"))["case"]
SMUGGLED = request("GET /restapi/v1.0/smuggled HTTP/1.1")


def check_answer(answer: bytes, case: dict[str, Any], method: str = "GET") -> None:
    """Check one whole answer: the vendor's shape, our fields, nothing behind it."""
    head, _, body = answer.partition(b"\r\n\r\n")
    head += b"\r\n\r\n"
    assert head.startswith(b"HTTP/1.1 %d " % case["status"]), answer
    told = json.loads(body)
    code = f"GW-{case['code'].upper()}"
    assert (told["errorCode"], told["errors"][0]["errorCode"]) == (code, code)
    assert case["reason"] in told["message"]
    assert told["message"].isascii()
    assert told["message"].isprintable()
    assert values(head, b"x-gateway-error") == [case["code"].encode()]
    assert values(head, b"content-type") == [b"application/json"]
    assert values(head, b"content-length") == [b"%d" % len(body)]
    (request_id,) = values(head, b"x-request-id")
    assert len(request_id) == 32
    (proxy_status,) = values(head, b"proxy-status")
    assert proxy_status.startswith(b"rc-gateway; error=")
    assert values(head, b"connection") == ([] if case.get("keep") else [b"close"])
    allow = [MethodNotAllowed.allow.encode()] if case["status"] == 405 else []
    assert values(head, b"allow") == allow


async def answer_to(sent: bytes, case: dict[str, Any], upstream: Upstream) -> bytes:
    async with running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(sent)
        if case.get("keep"):
            _, head, body = await peer.read_answer()
            answer = head + body
        else:
            answer = await peer.read_to_end()
        peer.close()
        (record,) = gateway.records
        assert (record.status, record.code) == (case["status"], case["code"])
        assert record.bug is None
    return answer


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
async def test_what_is_refused_gets_one_answer_and_goes_nowhere(case: dict[str, Any]) -> None:
    sent = case["sent"].encode("latin-1")
    behind = b"" if case.get("keep") or case.get("alone") else SMUGGLED
    async with scripted(answering(OK)) as upstream:
        check_answer(await answer_to(sent + behind, case, upstream), case)
        assert upstream.connections == 0


@pytest.mark.parametrize("case", CASES[::7], ids=lambda case: str(case["name"]))
async def test_what_came_before_a_flaw_is_answered_first(case: dict[str, Any]) -> None:
    good = request("POST /restapi/v1.0/first HTTP/1.1", body=b"one")
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin) as gateway,
    ):
        peer = await gateway.dial()
        await peer.send(good + case["sent"].encode("latin-1"))
        status, _, body = await peer.read_answer()
        assert (status, body) == (200, b"ok")
        status, head, body = await peer.read_answer()
        check_answer(head + body, case)
        peer.close()
    assert [body for _, body in seen] == [b"one"]


async def test_a_flaw_of_a_caller_that_sends_no_more_is_still_answered() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        peer.writer.write(b"\x00\xff")
        peer.writer.write_eof()
        assert (await peer.read_to_end()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        peer.close()


async def test_an_answer_to_head_has_the_length_of_a_body_and_no_body() -> None:
    async with scripted(answering(OK)) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request("HEAD /nowhere HTTP/1.1") + request("GET /nowhere HTTP/1.1"))
        _, head, _ = await peer.read_answer("HEAD")
        _, second, body = await peer.read_answer()
        assert values(head, b"content-length") == values(second, b"content-length")
        assert values(second, b"content-length") == [b"%d" % len(body)]
        peer.close()


@pytest.mark.parametrize(
    "sent",
    [
        request("HEAD /restapi HTTP/1.1", "Bad Field: x"),
        request(f"HEAD /{'a' * 20000} HTTP/1.1"),
        request("HEAD  /restapi HTTP/1.1"),
    ],
)
async def test_a_head_request_that_the_parser_refuses_gets_no_body(sent: bytes) -> None:
    async with running("http://127.0.0.1:1") as gateway:
        peer = await gateway.dial()
        await peer.send(sent)
        _, head, _ = await peer.read_answer("HEAD")
        assert int(values(head, b"content-length")[0]) > 0
        assert await peer.read_to_end() == b""
        peer.close()
