"""Links of answers: whoever follows them stays inside, and what is no link is not touched."""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.simulator import TOKEN, start
from gateway.simulator import Running as Simulator
from tests.wire import PATH, Peer, Running, answering, request, running, scripted, values

STORE = f"{PATH}/extension/~/message-store"
JSON = b"Content-Type: application/json\r\n"


def reply(body: bytes, fields: bytes = JSON, status: bytes = b"200 OK") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\n" + fields + length + b"\r\n" + body


def unchunk(raw: bytes) -> bytes:
    body = b""
    while raw != b"0\r\n\r\n":
        size, _, raw = raw.partition(b"\r\n")
        body, raw = body + raw[: int(size, 16)], raw[int(size, 16) + 2 :]
    return body


def host_of(gateway: Running) -> str:
    return f"localhost:{gateway.port}"


async def get(gateway: Running, uri: str, *fields: str) -> tuple[bytes, bytes]:
    """Follow a URI as it stands; return head and body of its answer."""
    origin = f"http://{host_of(gateway)}"
    assert uri.startswith(f"{origin}/"), uri
    line = f"GET {uri.removeprefix(origin)} HTTP/1.1"
    status, head, body = await gateway.ask(request(line, *fields, host=host_of(gateway)))
    assert status == 200, (uri, head)
    return head, unchunk(body) if values(head, b"transfer-encoding") else body


@asynccontextmanager
async def simulated() -> AsyncIterator[tuple[Simulator, Running]]:
    simulator = await start()
    try:
        token = f'credentials.ringcentral.token="literal:{TOKEN}"'
        async with running(simulator.origin, token) as gateway:
            yield simulator, gateway
    finally:
        await simulator.close()


async def test_every_page_of_a_list_is_reached_by_its_links() -> None:
    async with simulated() as (simulator, gateway):
        uri, seen, pages = f"http://{host_of(gateway)}{STORE}?perPage=3", [], 0
        page: dict[str, Any] = {}
        while uri:
            _, body = await get(gateway, uri)
            page = json.loads(body)
            assert simulator.origin not in body.decode()
            seen += [record["id"] for record in page["records"]]
            uri = page["navigation"].get("nextPage", {}).get("uri", "")
            pages += 1
        assert pages == page["paging"]["totalPages"]
        assert len(seen) == len(set(seen)) == page["paging"]["totalElements"]


async def test_every_content_uri_returns_the_content() -> None:
    async with simulated() as (_, gateway):
        _, body = await get(gateway, f"http://{host_of(gateway)}{STORE}")
        parts = [p for record in json.loads(body)["records"] for p in record["attachments"]]
        assert parts
        for part in parts:
            head, content = await get(gateway, part["uri"])
            assert len(content) == part["size"]
            assert values(head, b"content-type")[0].startswith(part["contentType"].encode())


async def test_without_rewriting_the_links_are_those_of_upstream() -> None:
    seen: list[tuple[bytes, bytes]] = []
    made = answer_of(URI, JSON + b'ETag: "a"\r\n')
    async with linking(made, "links.rewrite=off", seen=seen) as (origin, gateway):
        _, head, got = await gateway.ask(request(f"GET {PATH} HTTP/1.1", "Accept-Encoding: br"))
        assert got == URI.replace(b"@", origin.encode())
        assert values(head, b"etag") == [b'"a"']
        assert values(seen[0][0], b"accept-encoding") == [b"br"]


@asynccontextmanager
async def linking(
    make: bytes, *sets: str, seen: list[tuple[bytes, bytes]] | None = None
) -> AsyncIterator[tuple[str, Running]]:
    """Run a gateway whose upstream answers `make`, with its origin for every `@`."""
    answers: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            asked = await peer.read_request()
            if seen is not None:
                seen.append(asked)
            await peer.send(answers[0])

    async with scripted(script) as upstream, running(upstream.origin, *sets) as gateway:
        head, _, body = make.partition(b"\r\n\r\n")
        origin = upstream.origin.encode()
        head, body = head.replace(b"@", origin), body.replace(b"@", origin)
        answers.append(head.replace(b"SIZE", b"%d" % len(body)) + b"\r\n\r\n" + body)
        yield upstream.origin, gateway


def answer_of(body: bytes, fields: bytes = JSON, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\n" + fields + b"Content-Length: SIZE\r\n\r\n" + body


URI = b'{"uri" : "@/restapi/1", "n":1.00}'


async def test_a_short_answer_keeps_a_length_and_the_connection() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with linking(answer_of(URI, JSON + b'ETag: "a"\r\n'), seen=seen) as (_, gateway):
        peer = await gateway.dial()
        tag = b'"old"'
        for _ in range(3):
            await peer.send(
                request(f"GET {PATH} HTTP/1.1", f"If-Match: {tag.decode()}", host=host_of(gateway))
            )
            _, head, body = await peer.read_answer()
            assert body == URI.replace(b"@", f"http://{host_of(gateway)}".encode())
            assert values(head, b"content-length") == [b"%d" % len(body)]
            (tag,) = values(head, b"etag")
            assert tag == b'W/"a"'
        peer.close()
    assert [values(head, b"if-match") for head, _ in seen] == [[b'"old"'], [b'"a"'], [b'"a"']]


async def test_a_long_answer_leaves_chunked_and_to_http_1_0_until_the_close() -> None:
    body = b"[" + b",".join([URI] * 4000) + b"]"
    async with linking(answer_of(body)) as (_, gateway):
        ours = body.replace(b"@", f"http://{host_of(gateway)}".encode())
        _, head, got = await gateway.ask(request(host=host_of(gateway)))
        assert values(head, b"transfer-encoding") == [b"chunked"]
        assert not values(head, b"content-length")
        assert unchunk(got) == ours
        old = request(f"GET {PATH} HTTP/1.0", host=host_of(gateway))
        _, head, got = await gateway.ask(old)
        assert not values(head, b"transfer-encoding")
        assert not values(head, b"content-length")
        assert got == ours


async def test_a_text_or_a_part_of_one_is_never_touched() -> None:
    for fields, status in (
        (b"Content-Type: text/plain\r\n", b"200 OK"),
        (JSON + b"Content-Range: bytes 0-9/99\r\n", b"206 Partial Content"),
    ):
        async with linking(answer_of(URI, fields + b'ETag: "a"\r\n', status)) as (origin, gateway):
            _, head, body = await gateway.ask(request(host=host_of(gateway)))
            assert body == URI.replace(b"@", origin.encode())
            assert values(head, b"etag") == [b'"a"']


async def test_the_parts_of_a_bulk_answer_are_rewritten() -> None:
    part = b"--b1\r\nContent-Type: application/json\r\n\r\n" + URI + b"\r\n"
    other = b"--b1\r\nContent-Type: text/plain\r\n\r\n" + URI + b"\r\n"
    made = answer_of(
        part + other + b"--b1--\r\n",
        b"Content-Type: multipart/mixed; boundary=b1\r\n",
        b"207 Multi-Status",
    )
    async with linking(made) as (origin, gateway):
        _, _, body = await gateway.ask(request(host=host_of(gateway)))
        assert body.count(origin.encode()) == 1
        assert body.count(f"http://{host_of(gateway)}".encode()) == 1


async def test_fields_lead_back_too() -> None:
    fields = b"Location: @/restapi/1\r\nContent-Location: @/elsewhere\r\nLink: <@/scim>; rel=x\r\n"
    async with linking(answer_of(b"", fields, b"302 Found")) as (origin, gateway):
        _, head, _ = await gateway.ask(request(host=host_of(gateway)))
        here = f"http://{host_of(gateway)}"
        assert values(head, b"location") == [f"{here}/restapi/1".encode()]
        assert values(head, b"content-location") == [f"{origin}/elsewhere".encode()]
        assert values(head, b"link") == [f"<{here}/scim>; rel=x".encode()]


async def test_a_public_origin_is_written_whatever_host_was_asked() -> None:
    sets = ("links.public_origin=https://rc.corp.example",)
    async with linking(answer_of(URI), *sets) as (_, gateway):
        _, _, body = await gateway.ask(request(host=host_of(gateway)))
        assert json.loads(body)["uri"] == "https://rc.corp.example/restapi/1"


async def test_an_answer_in_gzip_is_rewritten_in_gzip() -> None:
    seen: list[tuple[bytes, bytes]] = []
    answers: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            seen.append(await peer.read_request())
            await peer.send(answers[0])

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        body = URI.replace(b"@", upstream.origin.encode())
        answers.append(reply(gzip.compress(body), JSON + b"Content-Encoding: gzip\r\n"))
        fields = ("Accept-Encoding: gzip, deflate, br",)
        _, head, got = await gateway.ask(
            request(f"GET {PATH} HTTP/1.1", *fields, host=host_of(gateway))
        )
        assert values(seen[0][0], b"accept-encoding") == [b"gzip"]
        assert values(head, b"content-encoding") == [b"gzip"]
        here = f"http://{host_of(gateway)}".encode()
        assert gzip.decompress(got) == URI.replace(b"@", here)


async def test_an_answer_cut_while_it_is_held_is_an_error_and_not_half_of_it() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply(URI)[:-5])

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        status, head, _ = await gateway.ask(request(host=host_of(gateway)))
        assert status == 502
        assert values(head, b"x-gateway-error") == [b"upstream-broken"]


async def test_an_answer_cut_while_it_streams_is_cut() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + JSON + b"\r\n3\r\n[1,"
        )

    async with scripted(script) as upstream, running(upstream.origin) as gateway:
        peer = await gateway.dial()
        await peer.send(request(host=host_of(gateway)))
        await peer.read_head()
        assert await peer.is_cut()


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_link_that_is_sent_back_names_the_real_host_again(chunked: bool) -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with linking(answer_of(b"{}"), seen=seen) as (origin, gateway):
        here = f"http://{host_of(gateway)}"
        body = f'{{"contentUri":"{here}/media/restapi/1","address":"{here}/hook"}}'.encode()
        fields = ["Content-Type: application/json"]
        if chunked:
            fields.append("Transfer-Encoding: chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        line = f"POST {PATH}/extension/~/x HTTP/1.1"
        await gateway.ask(request(line, *fields, body=body, host=host_of(gateway)))
        head, got = seen[0]
        assert json.loads(got) == {"contentUri": f"{origin}/restapi/1", "address": f"{here}/hook"}
        assert values(head, b"content-length") == [b"%d" % len(got)]


async def test_a_body_that_is_too_long_to_hold_passes_unchanged() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with linking(answer_of(b"{}"), seen=seen) as (_, gateway):
        body = f'["http://{host_of(gateway)}/restapi","{"x" * 70000}"]'.encode()
        line = f"POST {PATH}/extension/~/x HTTP/1.1"
        fields = ("Content-Type: application/json",)
        await gateway.ask(request(line, *fields, body=body, host=host_of(gateway)))
        assert seen[0][1] == body


async def test_a_media_link_comes_back_below_the_prefix_that_chooses_media() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\naudio", seen=seen)
    ) as m:
        media = f"http://localhost:{m.port}"
        body = b'{"contentUri":"%b/restapi/v1.0/x?y=%%2B"}' % media.encode()
        sets = (f'upstreams.media.origin="{media}"',)
        async with (
            scripted(answering(reply(body))) as platform,
            running(platform.origin, *sets) as gateway,
        ):
            _, got = await get(gateway, f"http://{host_of(gateway)}{PATH}")
            uri = json.loads(got)["contentUri"]
            assert uri == f"http://{host_of(gateway)}/media/restapi/v1.0/x?y=%2B"
            assert (await get(gateway, uri))[1] == b"audio"
            assert seen[0][0].startswith(b"GET /restapi/v1.0/x?y=%2B HTTP/1.1\r\n")


@pytest.mark.parametrize(("verb", "status"), [("HEAD", b"200 OK"), ("GET", b"304 Not Modified")])
async def test_a_head_without_its_body_declares_nothing_of_bytes_that_change(
    verb: str, status: bytes
) -> None:
    fields = b'ETag: "a"\r\nContent-Length: 40\r\n' + (JSON if verb == "HEAD" else b"")
    made = b"HTTP/1.1 " + status + b"\r\n" + fields + b"\r\n"
    async with scripted(answering(made)) as upstream, running(upstream.origin) as gateway:
        asked = request(f"{verb} {PATH} HTTP/1.1", host=host_of(gateway))
        _, head, _ = await gateway.ask(asked, verb)
        assert values(head, b"etag") == [b'W/"a"']
        assert not values(head, b"content-length")
