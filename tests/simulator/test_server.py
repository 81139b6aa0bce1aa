import asyncio
import hashlib
import io
import json
import uuid

import pytest
from aiohttp import ClientSession

from gateway.simulator import TOKEN, Running, start
from gateway.simulator.answers import JSON_TYPE
from gateway.simulator.server import MAX_BODY_BYTES, MAX_KEPT_BYTES, render_origin
from gateway.simulator.world import ACCOUNT, EXTENSION

STORE = "/restapi/v1.0/account/~/extension/~/message-store"


async def _exchange(simulator: Running, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_the_versions_are_open_to_everybody(simulator: Running) -> None:
    async with (
        ClientSession() as anyone,
        anyone.get(f"{simulator.origin}/restapi/v1.0") as reply,
    ):
        assert reply.status == 200
        assert reply.headers["Content-Type"] == JSON_TYPE
        assert (await reply.json())["uri"] == f"{simulator.origin}/restapi/v1.0"
        assert uuid.UUID(reply.headers["RCRequestId"]).version == 4
        assert reply.headers["Content-Language"] == "en-US"


async def test_no_token_and_a_wrong_token_are_told_apart(simulator: Running) -> None:
    async with ClientSession(simulator.origin) as anyone:
        async with anyone.get(STORE) as reply:
            assert (reply.status, (await reply.json())["errorCode"]) == (401, "AGW-401")
            assert reply.headers["WWW-Authenticate"].startswith("Basic ")
        async with anyone.get(STORE, headers={"Authorization": "Bearer x"}) as reply:
            document = await reply.json()
            assert (reply.status, document["errorCode"]) == (401, "TokenInvalid")
            assert document["errors"][0]["errorCode"] == "OAU-149"
            assert "X-Rate-Limit-Group" not in reply.headers


async def test_a_list_is_counted_and_absolute(simulator: Running, client: ClientSession) -> None:
    async with client.get(f"{STORE}?messageType=SMS&messageType=Fax&perPage=3") as reply:
        document = await reply.json()
        assert reply.headers["X-Rate-Limit-Remaining"] == "49"
    assert {record["type"] for record in document["records"]} == {"SMS", "Fax"}
    own = f"{simulator.origin}{EXTENSION}/message-store"
    following = document["navigation"]["nextPage"]["uri"]
    assert following.startswith(f"{own}?messageType=SMS&messageType=Fax&")
    async with client.get(following) as reply:
        assert reply.status == 200


async def test_uris_use_the_host_the_request_names(client: ClientSession) -> None:
    async with client.get(ACCOUNT, headers={"Host": "rc.example:8443"}) as reply:
        assert (await reply.json())["uri"] == f"http://rc.example:8443{ACCOUNT}"


async def test_a_tunnelled_delete_removes_the_message(
    simulator: Running, client: ClientSession
) -> None:
    path = f"{STORE}/{simulator.examples.delete_id}"
    async with client.post(path, headers={"X-HTTP-Method-Override": "DELETE"}) as reply:
        assert reply.status == 204
        assert reply.headers["X-Rate-Limit-Group"] == "medium"
        assert "Content-Type" not in reply.headers
        assert await reply.read() == b""
    async with client.get(path) as reply:
        assert (reply.status, (await reply.json())["errorCode"]) == (404, "CMN-102")
    assert [(entry.method, entry.effective) for entry in simulator.seen] == [
        ("POST", "DELETE"),
        ("GET", "GET"),
    ]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_message_is_marked_as_read(
    simulator: Running, client: ClientSession, method: str
) -> None:
    path = f"{STORE}/{simulator.examples.update_id}"
    async with client.request(method, path, json={"readStatus": "Read"}) as reply:
        assert (await reply.json())["readStatus"] == "Read"
    async with client.post(f"{path}?_method={method}", data=b"{") as reply:
        assert (reply.status, (await reply.json())["errorCode"]) == (400, "CMN-103")


async def test_a_get_that_overrides_to_get_is_a_get(client: ClientSession) -> None:
    async with client.get(f"{STORE}?_method=GET") as reply:
        assert reply.status == 200


async def test_media_is_served_whole_and_in_ranges(
    simulator: Running, client: ClientSession
) -> None:
    path = simulator.examples.content_path
    async with client.get(path) as reply:
        whole = await reply.read()
        assert reply.headers["Content-Type"] == "application/pdf"
    async with client.get(path, headers={"Range": "bytes=-4"}) as reply:
        assert (reply.status, await reply.read()) == (206, whole[-4:])
        size = len(whole)
        assert reply.headers["Content-Range"] == f"bytes {size - 4}-{size - 1}/{size}"
    async with client.get(path, headers={"Range": f"bytes={size}-"}) as reply:
        assert (reply.status, (await reply.json())["errorCode"]) == (416, "CMN-107")
        assert reply.headers["Content-Range"] == f"bytes */{size}"


async def test_head_has_the_length_and_no_body(simulator: Running, client: ClientSession) -> None:
    path = simulator.examples.content_path
    async with client.get(path) as whole, client.head(path) as reply:
        assert reply.status == 200
        assert reply.headers["Content-Length"] == whole.headers["Content-Length"]
        assert await reply.read() == b""


async def test_a_405_has_its_allow(client: ClientSession) -> None:
    async with client.post(f"{STORE}/1", data=b"x") as reply:
        assert reply.status == 405
        assert reply.headers["Allow"] == "GET, HEAD, PUT, PATCH, DELETE"


async def test_an_asterisk_is_answered_in_the_vendors_shape(simulator: Running) -> None:
    head = f"OPTIONS * HTTP/1.0\r\nAuthorization: bearer {TOKEN}\r\n\r\n"
    reply = await _exchange(simulator, head.encode())
    assert reply.startswith(b"HTTP/1.0 404 ")
    assert b"CMN-120" in reply


async def test_a_request_without_a_host_is_answered_by_the_socket(simulator: Running) -> None:
    reply = await _exchange(simulator, b"GET /restapi/v1.0 HTTP/1.0\r\n\r\n")
    document = json.loads(reply.partition(b"\r\n\r\n")[2])
    assert document["uri"] == f"{simulator.origin}/restapi/v1.0"


async def test_the_notebook_has_raw_targets_raw_headers_and_the_body(simulator: Running) -> None:
    target = "/restapi/v1.0/%7e//x?a=%2B&b=+c"
    head = f"POST {target} HTTP/1.1\r\nhOST: h\r\nX-a: 1\r\nx-A: \xe42\r\n"
    body = "Content-Encoding: gzip\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
    await _exchange(simulator, (head + body).encode("latin-1"))
    entry = simulator.seen[-1]
    assert entry.target == target
    assert entry.headers[:3] == ((b"hOST", b"h"), (b"X-a", b"1"), (b"x-A", b"\xe42"))
    assert (entry.body_length, entry.body_sha256) == (3, hashlib.sha256(b"abc").hexdigest())


async def test_an_expected_continue_is_sent(simulator: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    writer.write(
        b"POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\n"
    )
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"{}")
    assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
    writer.close()
    await writer.wait_closed()
    assert simulator.seen[-1].body_length == 2


async def test_a_client_that_leaves_within_its_body_leaves_no_trace(
    simulator: Running, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    writer.write(
        b"POST /restapi HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"{")
    writer.close()
    await writer.wait_closed()
    await _exchange(simulator, b"GET /restapi HTTP/1.0\r\n\r\n")
    assert [entry.method for entry in simulator.seen] == ["GET"]
    assert not caplog.records


async def test_what_is_no_http_is_refused_without_a_traceback(simulator: Running) -> None:
    reply = await _exchange(simulator, b"\x16\x03\x01 nonsense\r\n\r\n")
    assert b" 400 " in reply
    assert b"Traceback" not in reply
    assert not simulator.seen


async def test_a_large_body_is_counted_but_not_kept(
    simulator: Running, client: ClientSession
) -> None:
    body = io.BytesIO(bytes(MAX_KEPT_BYTES + 1))
    async with client.put(f"{STORE}/{simulator.examples.update_id}", data=body) as reply:
        assert (reply.status, (await reply.json())["errorCode"]) == (413, "CMN-104")
    assert simulator.seen[-1].body_length == MAX_KEPT_BYTES + 1


async def test_a_body_without_bound_is_cut_off(simulator: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    size = MAX_BODY_BYTES + 1
    writer.write(f"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n".encode())
    piece = bytes(2**20)
    for _ in range(MAX_BODY_BYTES // len(piece)):
        writer.write(piece)
        await writer.drain()
    writer.write(b"x")
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in reply
    assert not simulator.seen


async def test_a_long_target_is_read(client: ClientSession) -> None:
    async with client.get(f"{STORE}?x={'a' * 16000}") as reply:
        assert reply.status == 200


async def test_two_simulators_share_nothing(simulator: Running, client: ClientSession) -> None:
    other = await start(token="another")
    try:
        async with client.delete(f"{STORE}/{simulator.examples.delete_id}") as reply:
            assert reply.status == 204
        path = f"{other.origin}{STORE}/{simulator.examples.delete_id}"
        headers = {"Authorization": "Bearer another"}
        async with ClientSession(headers=headers) as session, session.get(path) as reply:
            assert reply.status == 200
    finally:
        await other.close()


async def test_an_injected_clock_decides_the_window() -> None:
    now = [0.0]
    running = await start(clock=lambda: now[0])
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with ClientSession(running.origin, headers=headers) as session:
        left = []
        for now[0] in (0.0, 1.0, 60.5):
            async with session.get(STORE) as reply:
                left.append(reply.headers["X-Rate-Limit-Remaining"])
    await running.close()
    assert left == ["49", "48", "48"]


def test_an_ipv6_origin_has_brackets() -> None:
    assert render_origin("::1", 80) == "http://[::1]:80"
    assert render_origin("127.0.0.1", 80) == "http://127.0.0.1:80"


async def test_a_port_in_use_is_an_error_and_leaves_nothing_open(simulator: Running) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await start(port=simulator.port)


async def test_closing_does_not_wait_for_idle_connections() -> None:
    running = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(b"GET /restapi HTTP/1.1\r\nHost: h\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.wait_for(running.close(), 1)
    await reader.read()
    writer.close()
    await writer.wait_closed()
