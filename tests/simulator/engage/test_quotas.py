"""The documented limits of the contact centre, and that they turn away over the socket."""

import pytest
from aiohttp import ClientSession

from gateway.simulator import DIGITAL_TOKEN, LEGACY_TOKEN, TOKEN, Running, start
from gateway.simulator.engage.quotas import Quotas, find_family
from gateway.simulator.faults import Fault
from gateway.simulator.pace import Pace
from gateway.simulator.rates import Rates
from gateway.simulator.reading import Reading, Wire, parse_wire

ADMIN = "/voice/api/v1/admin"
LEADS = f"{ADMIN}/accounts/1/campaignLeads"
LOADER = f"{ADMIN}/accounts/1/campaigns/2/leadLoader"
STATS = "/voice/api/cx/integration/v1/accounts/1/sub-accounts"


def _read(target: str) -> Reading:
    return parse_wire(Wire("POST", target), "http://h")


def _count(quotas: Quotas, target: str, now: float) -> int:
    """Tell how many requests pass at one moment."""
    for number in range(1000):
        try:
            quotas.charge(_read(target), now)
        except Fault:
            return number
    return 1000


@pytest.mark.parametrize(
    ("target", "family", "scope"),
    [
        (f"{ADMIN}/reports/x", "ringcx-reports", ""),
        (f"{STATS}/7/agg-queue-stats", "ringcx-reports", "7"),
        (f"{STATS}/8/interaction-metadata", "ringcx-reports", "8"),
        (f"{LEADS}/leadSearch", "ringcx-lead-search", ""),
        (f"{LEADS}/leadSearch?count=true", "ringcx-lead-count", ""),
        (f"{LEADS}/actions?count=true", "ringcx-leads", ""),
        (f"{LOADER}/direct", "ringcx-leads", ""),
        (f"{LOADER}/preview", "ringcx-lead-preview", ""),
        (f"{LOADER}/process", "ringcx-lead-process", ""),
        (LEADS.removeprefix("/voice") + "/leadSearch", "ringcx-lead-search", ""),
        (f"{ADMIN}/users", "ringcx", ""),
        (f"{ADMIN}/%0A", "ringcx", ""),
    ],
)
def test_a_path_has_its_family(target: str, family: str, scope: str) -> None:
    found, within = find_family(_read(target))
    assert (found.name, within) == (family, scope)


@pytest.mark.parametrize(
    ("target", "later_s", "passing"),
    [
        (f"{ADMIN}/reports/x", 60, [3, 3, 3, 0]),
        (f"{LEADS}/leadSearch", 10, [15, 15, 15, 15]),
        (f"{LEADS}/leadSearch?count=true", 10, [90, 90, 0, 90]),
        (f"{LOADER}/direct", 10, [30, 30, 30, 30, 0, 0, 30]),
        (f"{LOADER}/preview", 30, [12, 6, 12]),
        (f"{LOADER}/process", 3, [9, 9, 9, 3, 0]),
        (f"{ADMIN}/users", 30, [120, 0, 120]),
    ],
)
def test_every_window_of_a_family_is_kept(target: str, later_s: int, passing: list[int]) -> None:
    quotas = Quotas(Rates(Pace(), enforced=True))
    moments = range(0, later_s * len(passing), later_s)
    assert [_count(quotas, target, now) for now in moments] == passing


def test_sub_accounts_and_families_count_for_themselves() -> None:
    rates = Rates(Pace(), enforced=True)
    quotas = Quotas(rates)
    targets = (f"{STATS}/7/agg-queue-stats", f"{STATS}/8/agg-queue-stats", f"{ADMIN}/reports/x")
    assert [_count(quotas, target, 0) for target in targets] == [3, 3, 3]
    assert _count(quotas, f"{LOADER}/process", 0) == 9
    with pytest.raises(Fault, match="429") as caught:
        quotas.charge(_read(f"{LOADER}/process"), 0)
    assert caught.value.headers == {}
    assert rates.report() == {
        "requests_refused": {"ringcx-reports": 3, "ringcx-lead-process": 2},
        "requests_in_penalty": 0,
        "penalties_begun": 0,
    }


def test_unless_enforced_nothing_is_turned_away() -> None:
    assert _count(Quotas(Rates(Pace())), f"{ADMIN}/reports/x", 0) == 1000


async def _fill(running: Running, path: str, headers: dict[str, str], times: int) -> None:
    async with ClientSession(running.origin, headers=headers) as session:
        for _ in range(times):
            async with session.get(path) as reply:
                assert reply.status == 200
        async with session.get(path) as reply:
            assert reply.status == 429
            assert not [name for name in reply.headers if name.startswith(("X-Rate", "Retry"))]
            document = await reply.json()
    if path.startswith("/1.0"):
        assert document == {
            "error": "rate_limit_exceeded",
            "message": "Rate limit exceeded",
            "status": 429,
        }
    else:
        assert document["generalMessage"] == "Request rate exceeded"


async def test_each_product_turns_away_in_its_own_words() -> None:
    now = [0.0]
    running = await start(clock=lambda: now[0], enforce_rates=True)
    form = {"rcAccessToken": TOKEN, "rcTokenType": "Bearer"}
    async with (
        ClientSession(running.origin) as session,
        session.post("/api/auth/login/rc/accesstoken", data=form) as reply,
    ):
        bearer = {"Authorization": f"Bearer {(await reply.json())['accessToken']}"}
    await _fill(running, f"{ADMIN}/accounts", bearer, 120)
    await _fill(running, "/api/v1/admin/accounts", {"X-Auth-Token": LEGACY_TOKEN}, 120)
    digital = {"Authorization": f"Bearer {DIGITAL_TOKEN}"}
    await _fill(running, "/1.0/categories", digital, 500)
    now[0] = 60.0
    await _fill(running, f"{ADMIN}/accounts", bearer, 120)
    assert running.control.report()["requests_refused"] == {"ringcx": 3, "engage-digital": 1}
    await running.close()


async def test_a_summary_counts_as_any_other_resource() -> None:
    running = await start(enforce_rates=True)
    form = {"rcAccessToken": TOKEN, "rcTokenType": "Bearer"}
    path = "/voice/api/v1/summary/accounts/1/segments/7/auto"
    async with ClientSession(running.origin) as session:
        async with session.post("/api/auth/login/rc/accesstoken", data=form) as reply:
            token = (await reply.json())["accessToken"]
        statuses = set()
        for _ in range(121):
            async with session.get(path, headers={"Cookie": f"access_token={token}"}) as reply:
                statuses.add(reply.status)
    await running.close()
    assert statuses == {200, 429}
