"""Pages that we do not know may only read, and OPTIONS that may go no further ends here."""

from pathlib import Path

import pytest

from tests.e2e.crews import TWO, show
from tests.e2e.reloadable import reloadable, text_of
from tests.wire import OK, PATH, answering, request, running, scripted, values


@pytest.mark.parametrize(
    ("line", "fields", "status"),
    [
        (f"POST {PATH}?_method=DELETE HTTP/1.1", ["Sec-Fetch-Site: cross-site"], 403),
        (f"POST {PATH} HTTP/1.1", ["Sec-Fetch-Site: same-site"], 403),
        (f"POST {PATH} HTTP/1.1", ["Origin: https://evil.example"], 403),
        (f"POST {PATH} HTTP/1.1", ["Origin: null"], 403),
        (f"OPTIONS {PATH} HTTP/1.1", ["Origin: https://evil.example"], 403),
        (f"GET {PATH} HTTP/1.1", ["Origin: https://evil.example"], 200),
        (f"POST {PATH} HTTP/1.1", ["Sec-Fetch-Site: same-origin"], 200),
        (f"POST {PATH} HTTP/1.1", [], 200),
        (f"GET {PATH} HTTP/1.1", ["Host: rebound.example"], 403),
        (f"GET {PATH} HTTP/1.1", ["Host: localhost:1"], 403),
        (f"GET {PATH} HTTP/1.1", ["Host: 127.0.0.1"], 200),
        (f"GET {PATH} HTTP/1.1", ["Host: [::1]"], 200),
    ],
)
async def test_a_page_we_do_not_know_may_only_read(
    line: str, fields: list[str], status: int
) -> None:
    allowing = OK.replace(b"\r\n\r\n", b"\r\nAccess-Control-Allow-Origin: *\r\n\r\n")
    async with scripted(answering(allowing)) as upstream, running(upstream.origin) as gateway:
        got, head, _ = await gateway.ask(request(line, *fields))
        assert got == status
        with_origin = any(field.startswith("Origin") for field in fields)
        if status == 200:
            allowed = values(head, b"access-control-allow-origin")
            assert allowed == ([] if with_origin else [b"*"])
        else:
            assert values(head, b"x-gateway-error") == [b"not-permitted"]
            assert upstream.connections == 0


async def test_options_ends_here_when_it_may_go_no_further() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with (
        scripted(answering(OK, seen=seen)) as upstream,
        running(upstream.origin) as gateway,
    ):
        options = f"OPTIONS {PATH} HTTP/1.1"
        peer = await gateway.dial()
        await peer.send(request(options, "Max-Forwards: 0") + request(options, "Max-Forwards: 3"))
        status, head, _ = await peer.read_answer()
        assert status == 204
        assert values(head, b"allow") == [b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]
        assert values(head, b"content-length") == []
        assert (await peer.read_answer())[0] == 200
        peer.close()
    ((head, _),) = seen
    assert values(head, b"max-forwards") == [b"2"]


@pytest.mark.parametrize("more", [(), (TWO,)], ids=["one", "workers"])
async def test_the_operators_listener_tells_a_rebound_name_nothing(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    named = 'listener.hosts = ["rc.corp.example"]'
    async with (
        scripted(answering(OK)) as upstream,
        reloadable(tmp_path / "gateway.toml", text_of(upstream.origin, *more)) as gateway,
    ):
        assert "403 Forbidden" in await show(gateway, "/metrics", "rc.corp.example")
        await gateway.reload(text_of(upstream.origin, *more, named))
        assert "200 OK" in await show(gateway, "/metrics", "rc.corp.example")
        assert "403 Forbidden" in await show(gateway, "/metrics", "evil.example")
