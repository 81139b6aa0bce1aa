"""A request that is sent again because its token was not good."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.engine.repeating import until_repeating
from tests.wire import OK, PATH, Peer, Running, request, running, scripted, values


def refusal(code: str, *fields: str) -> bytes:
    body = json.dumps({"errorCode": code, "message": "m"}).encode()
    lines = "".join(f"{line}\r\n" for line in fields)
    return f"HTTP/1.1 401 No\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


EXPIRED = refusal("OAU-128")


@dataclass
class Vendor:
    """A token endpoint, and an API that refuses every token up to `refuses` with `answer`.

    At `/restapi/odd` it refuses all of them.
    """

    refuses: int = 1
    answer: bytes = EXPIRED
    renews: bool = True
    token_calls: int = 0
    seen: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def __call__(self, peer: Peer) -> None:
        while True:
            head, body = await peer.read_request()
            if b"/restapi/oauth/token" in head:
                self.token_calls += 1
                if self.renews:
                    await peer.send(self._token())
                continue
            self.seen.append((head, body))
            number = int(values(head, b"authorization")[0].rpartition(b"-")[2])
            is_refused = number <= self.refuses or b"/restapi/odd" in head
            await peer.send(self.answer if is_refused else OK)

    def _token(self) -> bytes:
        document = {"access_token": f"token-{self.token_calls}", "expires_in": 3600}
        body = json.dumps(document).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@asynccontextmanager
async def owning(vendor: Vendor, *sets: str) -> AsyncIterator[Running]:
    """Run a gateway that has its tokens from `vendor`, which is its upstream too."""
    jwt = (
        "credentials.ringcentral.client_id=literal:id",
        "credentials.ringcentral.jwt=literal:j.w.t",
    )
    async with (
        scripted(vendor) as upstream,
        running(upstream.origin, *jwt, *sets, grant="jwt") as gateway,
    ):
        yield gateway


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
async def test_a_refused_token_is_renewed_and_the_request_sent_again(method: str) -> None:
    vendor = Vendor()
    async with owning(vendor) as gateway:
        status, _, body = await gateway.ask(request(f"{method} {PATH} HTTP/1.1", body=b"body"))
        assert (status, body) == (200, b"ok")
        assert gateway.records[0].attempts == 2
    assert vendor.token_calls == 2
    assert [body for _, body in vendor.seen] == [b"body", b"body"]
    first, second = [values(head, b"authorization")[0] for head, _ in vendor.seen]
    assert (first, second) == (b"Bearer token-1", b"Bearer token-2")


async def test_a_second_refusal_is_the_answer() -> None:
    vendor = Vendor(refuses=99)
    async with owning(vendor) as gateway:
        status, head, body = await gateway.ask(request())
        assert (status, values(head, b"x-gateway-error")) == (401, [])
        assert body in EXPIRED
    assert len(vendor.seen) == 2
    assert vendor.token_calls == 2


async def test_a_path_that_refuses_every_token_does_not_use_up_the_renewals() -> None:
    vendor = Vendor(refuses=0)
    odd, other = request("GET /restapi/odd?x=%d HTTP/1.1"), request()
    async with owning(vendor) as gateway:
        for number in range(8):
            assert (await gateway.ask(odd.replace(b"%d", b"%d" % number)))[0] == 401
        assert vendor.token_calls == 2
        assert len(vendor.seen) == 9
        vendor.refuses = 2
        assert (await gateway.ask(other))[0] == 200
    assert vendor.token_calls == 3


@pytest.mark.parametrize("code", ["AGW-401", "OAU-146", "CMN-405", "OAU-168"])
async def test_what_no_other_token_mends_is_passed_on(code: str) -> None:
    vendor = Vendor(answer=refusal(code, "WWW-Authenticate: Basic realm=x"))
    async with owning(vendor) as gateway:
        status, head, body = await gateway.ask(request())
        assert (status, json.loads(body)["errorCode"]) == (401, code)
        assert not values(head, b"www-authenticate")
    assert len(vendor.seen) == vendor.token_calls == 1


async def test_a_body_that_is_not_held_is_not_sent_again_but_the_token_is_renewed() -> None:
    vendor = Vendor()
    body = b"x" * 3000
    async with owning(vendor, "limits.replay_body_bytes=1000") as gateway:
        assert (await gateway.ask(request(f"POST {PATH} HTTP/1.1", body=body)))[0] == 401
        assert (await gateway.ask(request(f"POST {PATH} HTTP/1.1", body=body)))[0] == 200
    assert len(vendor.seen) == vendor.token_calls == 2


async def test_a_refused_token_that_cannot_be_renewed_is_503_with_a_wait() -> None:
    vendor = Vendor(refuses=99)
    sets = ("credentials.ringcentral.auth_limit=1", "credentials.ringcentral.auth_window_s=30")
    async with owning(vendor, *sets) as gateway:
        status, head, body = await gateway.ask(request())
        assert (status, values(head, b"x-gateway-error")) == (503, [b"credential-unavailable"])
        assert 1 <= int(values(head, b"retry-after")[0]) <= 30
        assert b"token-1" not in body
    assert len(vendor.seen) == vendor.token_calls == 1


async def test_a_shutdown_tells_who_awaits_another_token_that_it_may_ask_again() -> None:
    vendor = Vendor()
    async with owning(vendor, "timeouts.drain_s=0.1") as gateway:
        # Ready before there is a refusal.
        assert (await gateway.ask(request("GET /restapi/odd HTTP/1.1")))[0] == 401
        vendor.refuses, vendor.renews = 2, False
        peer = await gateway.dial()
        await peer.send(request(f"POST {PATH} HTTP/1.1", body=b"body"))
        await until_repeating(gateway)
        draining = asyncio.create_task(gateway.gateway.drain())
        status, head, _ = await peer.read_answer()
        assert (status, values(head, b"x-gateway-error")) == (503, [b"draining"])
        peer.close()
        await draining
        assert gateway.records[-1].retries == ("token",)


async def test_a_passed_through_credential_is_never_replaced() -> None:
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            seen.append((await peer.read_request())[0])
            await peer.send(EXPIRED)

    async with (
        scripted(script) as upstream,
        running(upstream.origin, grant="passthrough") as gateway,
    ):
        answer = await gateway.ask(request(f"GET {PATH} HTTP/1.1", "Authorization: Bearer mine"))
        assert answer[0] == 401
    assert len(seen) == 1
