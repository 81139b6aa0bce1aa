"""TLS to upstreams: verified by default, with the upstream's name, 1.2 or newer."""

import asyncio
import datetime
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from tests.wire import OK, PATH, Peer, Running, Script, answering, request, running, scripted

AUTHORITY = trustme.CA()
BODY = b"b" * 2_000_000


def context_of(
    *names: str, authority: trustme.CA = AUTHORITY, not_after: datetime.datetime | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_after=not_after).configure_cert(context)
    return context


@asynccontextmanager
async def over_tls(
    script: Script, tls: ssl.SSLContext, folder: Path, *, is_trusted: bool = True, name: str = ""
) -> AsyncIterator[Running]:
    ca_file = folder / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(ca_file))
    sets = [f'upstreams.platform.ca_file="{ca_file}"'] if is_trusted else []
    async with scripted(script, tls) as upstream:
        origin = f"https://{name or '127.0.0.1'}:{upstream.port}"
        async with running(origin, *sets) as gateway:
            yield gateway


async def refusal(gateway: Running) -> str:
    """Return why the gateway did not connect; each time anew."""
    async with asyncio.timeout(3):
        await gateway.ask(request())
        status, head, body = await gateway.ask(request())
    assert status == 502
    assert b"X-Gateway-Error: upstream-unreachable" in head
    message = json.loads(body)["message"]
    assert gateway.records[0].message == message
    assert isinstance(message, str)
    return message


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_a_trusted_upstream_is_served_over_one_connection(tmp_path: Path, name: str) -> None:
    indicated: list[str | None] = []
    protocols: list[str | None] = []
    tls = context_of(name)
    tls.set_alpn_protocols(["h2", "http/1.1"])
    tls.sni_callback = lambda _, name, __: indicated.append(name)

    async def script(peer: Peer) -> None:
        handle = peer.writer.get_extra_info("ssl_object")
        protocols.append(handle.selected_alpn_protocol())
        await answering(OK, b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + BODY)(peer)

    async with over_tls(script, tls, tmp_path, name=name) as gateway:
        peer = await gateway.dial()
        for expected in (b"ok", BODY, BODY):
            await peer.send(request(f"PUT {PATH} HTTP/1.1", body=BODY))
            assert (await peer.read_answer())[2] == expected
        peer.close()
    # RFC 6066 section 3: addresses are no server names.
    assert indicated == ["localhost" if name == "localhost" else None]
    assert protocols == ["http/1.1"]


async def test_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    tls = context_of("127.0.0.1")
    async with over_tls(answering(OK), tls, tmp_path, is_trusted=False) as gateway:
        message = await refusal(gateway)
    assert message.startswith("the certificate of https://127.0.0.1:")
    assert "is not trusted: unable to get local issuer certificate" in message


async def test_another_authority_than_the_given_one_is_refused(tmp_path: Path) -> None:
    tls = context_of("127.0.0.1", authority=trustme.CA())
    async with over_tls(answering(OK), tls, tmp_path) as gateway:
        assert "is not trusted" in await refusal(gateway)


async def test_a_self_signed_certificate_is_refused(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = trustme.CA()
    own.issue_cert("127.0.0.1").configure_cert(tls)
    async with over_tls(answering(OK), tls, tmp_path, is_trusted=False) as gateway:
        assert "is not trusted" in await refusal(gateway)


@pytest.mark.parametrize(
    ("given", "asked"), [("other.example", "localhost"), ("localhost", "127.0.0.1")]
)
async def test_a_certificate_for_another_name_is_refused(
    tmp_path: Path, given: str, asked: str
) -> None:
    async with over_tls(answering(OK), context_of(given), tmp_path, name=asked) as gateway:
        message = await refusal(gateway)
    assert "mismatch, certificate is not valid for" in message


async def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    then = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    tls = context_of("127.0.0.1", not_after=then)
    async with over_tls(answering(OK), tls, tmp_path) as gateway:
        assert "is not trusted: certificate has expired" in await refusal(gateway)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_tls_1_1_is_refused(tmp_path: Path) -> None:
    tls = context_of("127.0.0.1")
    tls.set_ciphers("ALL:@SECLEVEL=0")
    tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1
    async with over_tls(answering(OK), tls, tmp_path) as gateway:
        message = await refusal(gateway)
    # Not every server says in TLS why it hangs up.
    assert "TLS with https://127.0.0.1:" in message or "while TLS was set up" in message


async def test_tls_1_2_is_enough(tmp_path: Path) -> None:
    tls = context_of("127.0.0.1")
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    async with over_tls(answering(OK), tls, tmp_path) as gateway:
        assert (await gateway.ask(request()))[0] == 200


async def speak_plainly(peer: Peer) -> None:
    await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await peer.read_to_end()


async def hang_up(peer: Peer) -> None:
    peer.close()


async def reset(peer: Peer) -> None:
    peer.reset()


@pytest.mark.parametrize(
    ("script", "says"),
    [(speak_plainly, "TLS with "), (hang_up, "onnection"), (reset, "onnection")],
)
async def test_what_does_not_speak_tls_is_unreachable(script: Script, says: str) -> None:
    async with scripted(script) as upstream, running(f"https://127.0.0.1:{upstream.port}") as g:
        assert says in await refusal(g)


async def test_a_handshake_that_does_not_end_times_out() -> None:
    async def silent(peer: Peer) -> None:
        await peer.read_to_end()

    async with (
        scripted(silent) as upstream,
        running(f"https://127.0.0.1:{upstream.port}", "timeouts.connect_s=0.2") as gateway,
    ):
        status, head, _ = await gateway.ask(request())
    assert status == 504
    assert b"X-Gateway-Error: upstream-timeout" in head


# asyncio's own loop reports an end without close_notify as an orderly one; uvloop, which is
# what serves, does not.
@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("is_clean", [True, False], ids=["close_notify", "the socket alone"])
async def test_a_reply_until_close_is_whole_only_when_tls_says_so(
    tmp_path: Path, is_clean: bool
) -> None:
    relayed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        await relayed.wait()
        if not is_clean:
            # Who stands between can end a TCP connection, but cannot say close_notify.
            peer.writer.transport.abort()

    async with over_tls(script, context_of("127.0.0.1"), tmp_path) as gateway:
        peer = await gateway.dial()
        await peer.send(request())
        await peer.read_head()
        assert await peer.read(10) == b"5\r\nhello\r\n"
        relayed.set()
        if is_clean:
            assert await peer.read(5) == b"0\r\n\r\n"
        else:
            assert await peer.is_cut()
        peer.close()
        record = await gateway.recorder.wait_for(1)
    assert bool(record.cut) is not is_clean


async def test_a_stale_tls_connection_is_replaced(tmp_path: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(OK)

    async with over_tls(script, context_of("127.0.0.1"), tmp_path) as gateway:
        for _ in range(5):
            assert (await gateway.ask(request()))[0] == 200
