"""The legacy portal from end to end: a login whose session lives while it is used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway import simulator
from gateway.credentials.broker import Broker
from gateway.simulator import LEGACY_PASSWORD, LEGACY_USERNAME
from tests.e2e.vendor import token_calls, vendor
from tests.wire import Running, request, running

ACCOUNTS = request("GET /api/v1/admin/accounts HTTP/1.1")


@asynccontextmanager
async def portal() -> AsyncIterator[tuple[simulator.Running, Running]]:
    """Run a simulator and a gateway that logs in there."""
    async with vendor() as upstream:
        sets = (
            f'upstreams.engage_legacy.origin="{upstream.origin}"',
            "upstreams.engage_legacy.credential=portal",
            "credentials.portal.grant=engage_legacy",
            f"credentials.portal.username=literal:{LEGACY_USERNAME}",
            f"credentials.portal.password=literal:{LEGACY_PASSWORD}",
        )
        async with running(upstream.origin, *sets) as gateway:
            yield upstream, gateway


async def test_a_session_that_the_portal_ended_is_begun_anew() -> None:
    async with portal() as (upstream, gateway):
        assert (await gateway.ask(ACCOUNTS))[0] == 200
        upstream.control.expire("legacy")
        assert (await gateway.ask(ACCOUNTS))[0] == 200
        assert gateway.records[-1].retries == ("token",)
        assert token_calls(upstream) == {"legacy_login": {"200": 2}}


@pytest.mark.parametrize(("status", "is_use"), [(401, False), (502, False), (403, True)])
async def test_the_session_lives_from_the_last_answer_that_did_not_refuse_it(
    status: int, is_use: bool
) -> None:
    async with portal() as (upstream, gateway):
        broker = gateway.gateway.credentials.by_name["portal"]
        assert isinstance(broker, Broker)
        assert (await gateway.ask(ACCOUNTS))[0] == 200
        for answer, prolongs in ((200, True), (status, is_use), (200, True)):
            if answer != 200:
                upstream.control.fail(1, answer, kind="api")
            # As after a pause.
            end = broker._life.dies_at = broker._life.dies_at - 60.0
            assert (await gateway.ask(ACCOUNTS))[0] == answer
            assert (broker._life.dies_at > end) is prolongs
        assert token_calls(upstream) == {"legacy_login": {"200": 1}}
