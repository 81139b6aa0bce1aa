"""RingCX from end to end, with nothing but the vendor's variables and one table."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway import simulator
from gateway.app import Gateway, make_credentials
from gateway.config.load import load
from gateway.config.presets import DEFAULT_GRANT
from gateway.simulator import CLIENT_ID, CLIENT_SECRET, JWT
from gateway.stores.memory import MemoryStore
from tests.e2e.vendor import token_calls, vendor
from tests.wire import Recorder, Running, request

ACCOUNTS = "/voice/api/v1/admin/accounts"
SUMMARY = "/voice/api/v1/summary/accounts/15300002/segments/1/agent"


@asynccontextmanager
async def ringcx(
    time_scale: float = 1.0, *more: str
) -> AsyncIterator[tuple[simulator.Running, Running]]:
    """Run a gateway that was given the three variables and `[upstreams.ringcx]`."""
    async with vendor(time_scale) as upstream:
        environ = {
            "RC_APP_CLIENT_ID": CLIENT_ID,
            "RC_APP_CLIENT_SECRET": CLIENT_SECRET,
            "RC_USER_JWT": JWT,
            "RC_SERVER_URL": upstream.origin,
        }
        # The origin is the simulator's; nothing else of the table is said.
        sets = [f'upstreams.ringcx.origin="{upstream.origin}"', 'listener.bind="127.0.0.1:0"']
        sets += more
        config = load([], sets, environ, resolve=True).config
        recorder = Recorder()
        credentials = make_credentials(config, environ, recorder, MemoryStore())
        gateway = Gateway(config, credentials, recorder)
        await gateway.open()
        try:
            yield upstream, Running(gateway, gateway.binds[0].port or 0, recorder)
        finally:
            await gateway.abort()


async def test_a_ringcx_resource_is_read_with_an_exchanged_token() -> None:
    async with ringcx() as (upstream, gateway):
        status, _, body = await gateway.ask(request(f"GET {ACCOUNTS} HTTP/1.1"))
        assert (status, json.loads(body)[0]["mainAccountId"]) == (200, "15300001")
        assert (await gateway.ask(request("GET /restapi/v1.0/account/~ HTTP/1.1")))[0] == 200
        assert token_calls(upstream) == {"jwt": {"200": 1}, "ringcx_exchange": {"200": 1}}


async def test_500_requests_at_the_start_cost_one_exchange() -> None:
    async with ringcx() as (upstream, gateway):
        answers = await asyncio.gather(
            *(gateway.ask(request(f"GET {ACCOUNTS} HTTP/1.1")) for _ in range(500))
        )
        assert {status for status, _, _ in answers} == {200}
        assert token_calls(upstream) == {"jwt": {"200": 1}, "ringcx_exchange": {"200": 1}}


async def test_an_expired_token_is_refreshed_and_the_request_sent_again() -> None:
    async with ringcx() as (upstream, gateway):
        assert (await gateway.ask(request(f"GET {ACCOUNTS} HTTP/1.1")))[0] == 200
        upstream.control.expire("ringcx")
        assert (await gateway.ask(request(f"GET {ACCOUNTS} HTTP/1.1")))[0] == 200
        assert token_calls(upstream)["ringcx_refresh"] == {"200": 1}
        assert gateway.records[-1].retries == ("token",)


async def test_the_exchange_is_made_again_when_the_refresh_token_is_refused() -> None:
    async with ringcx() as (upstream, gateway):
        assert (await gateway.ask(request(f"GET {ACCOUNTS} HTTP/1.1")))[0] == 200
        upstream.control.expire("ringcx")
        upstream.control.fail(1, 401, kind="ringcx")
        assert (await gateway.ask(request(f"GET {ACCOUNTS} HTTP/1.1")))[0] == 200
        assert token_calls(upstream)["ringcx_exchange"] == {"200": 2}


async def test_sessions_that_were_ended_are_begun_anew_by_a_request_of_ringcx_alone() -> None:
    async with ringcx() as (upstream, gateway):
        assert (await gateway.ask(request(f"GET {ACCOUNTS} HTTP/1.1")))[0] == 200
        upstream.control.expire("sessions")
        upstream.control.expire("ringcx")
        upstream.control.fail(1, 401, kind="ringcx")
        assert (await gateway.ask(request(f"GET {ACCOUNTS} HTTP/1.1")))[0] == 200
        assert token_calls(upstream)["ringcx_exchange"] == {"200": 2, "401": 1}


async def test_a_summary_is_asked_for_with_the_token_as_a_cookie() -> None:
    async with ringcx() as (upstream, gateway):
        raw = request(f"GET {SUMMARY} HTTP/1.1", "Cookie: access_token=mine; a=b")
        assert (await gateway.ask(raw))[0] == 200
        (seen,) = [seen for seen in upstream.seen if "summary" in seen.target]
        names = [name.lower() for name, _ in seen.headers]
        assert names.count(b"cookie") == 1
        assert b"authorization" not in names


async def test_a_role_is_taken_away_by_a_tunnelled_delete_and_never_granted() -> None:
    async with ringcx() as (upstream, gateway):
        role = "/voice/api/v1/admin/users/1/roles/AGENT"
        await gateway.ask(request(f"POST {role}?_method=DELETE HTTP/1.1"))
        (seen,) = [seen for seen in upstream.seen if "roles" in seen.target]
        assert (seen.method, seen.target) == ("DELETE", role)


async def test_the_ends_of_five_minute_tokens_cost_no_request() -> None:
    scale = 600
    windows = [
        *("credentials.ringcx.grant=ringcx", f"credentials.ringcx.auth_window_s={60 / scale}"),
        *(f"credentials.ringcentral.{key}={value}" for key, value in DEFAULT_GRANT.items()),
        f"credentials.ringcentral.auth_window_s={60 / scale}",
    ]
    async with ringcx(scale, *windows) as (upstream, gateway):
        peer = await gateway.dial()
        end = asyncio.get_running_loop().time() + 2.0
        statuses = set()
        while asyncio.get_running_loop().time() < end:
            await peer.send(request(f"GET {ACCOUNTS} HTTP/1.1"))
            statuses.add((await peer.read_answer())[0])
            await asyncio.sleep(0.005)
        peer.close()
        assert token_calls(upstream)["ringcx_refresh"]["200"] >= 2
    assert statuses == {200}
