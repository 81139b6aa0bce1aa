"""Engage Digital over its socket."""

from typing import Any

import pytest
from aiohttp import ClientSession

from gateway.simulator import DIGITAL_TOKEN, TOKEN, Running
from gateway.simulator.engage.digital import AGENT_ID, OWNER_ID

GOOD = {"Authorization": f"bearer {DIGITAL_TOKEN}"}


async def _get(
    running: Running, path: str, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    async with (
        ClientSession(running.origin) as session,
        session.get(path, headers=GOOD if headers is None else headers) as reply,
    ):
        return reply.status, await reply.json()


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/1.0/categories", GOOD), (f"/1.0/categories?access_token={DIGITAL_TOKEN}", {})],
)
async def test_the_static_token_opens_in_either_place(
    simulator: Running, path: str, headers: dict[str, str]
) -> None:
    status, document = await _get(simulator, path, headers)
    assert (status, document["count"], document["limit"]) == (200, 2, 30)
    assert document["records"][0]["name"] == "Sales"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/1.0/categories", {}),
        ("/1.0/nothing", {"Authorization": f"Bearer {TOKEN}"}),
        ("/1.0/categories", {"Authorization": f"Basic {DIGITAL_TOKEN}"}),
        (f"/1.0/categories?access_token={DIGITAL_TOKEN}", {"Authorization": "Bearer x"}),
    ],
)
async def test_another_token_is_refused_in_digitals_shape(
    simulator: Running, path: str, headers: dict[str, str]
) -> None:
    status, document = await _get(simulator, path, headers)
    assert status == document["status"] == 401
    assert (document["error"], document["message"]) == (
        "invalid_token",
        "The access token is invalid",
    )


async def test_lists_are_pages_of_offset_and_limit(simulator: Running) -> None:
    _, document = await _get(simulator, "/1.0/content_threads?offset=1&limit=1")
    assert [record["id"] for record in document["records"]] == ["7002"]
    status, document = await _get(simulator, "/1.0/users?limit=151")
    assert (status, document["error"]) == (400, "bad_request")


async def test_one_record_is_found_by_its_id(simulator: Running) -> None:
    assert (await _get(simulator, f"/1.0/users/{OWNER_ID}"))[1]["firstname"] == "Ada"
    for path in ("/1.0/users/1", "/1.0/nothing", "/1.0", f"/1.0/users/{OWNER_ID}/x"):
        status, document = await _get(simulator, path)
        assert (status, document["error"]) == (404, "not_found")


async def test_who_acts_as_an_agent_sees_what_the_agent_sees(simulator: Running) -> None:
    acting = f"impersonated_user_id={AGENT_ID}"
    _, document = await _get(simulator, f"/1.0/content_threads?{acting}")
    assert [record["id"] for record in document["records"]] == ["7002"]
    assert (await _get(simulator, f"/1.0/content_threads/7001?{acting}"))[0] == 404


@pytest.mark.parametrize("others", ["x", f"{AGENT_ID}&impersonated_user_id={AGENT_ID}", ""])
async def test_acting_as_somebody_else_is_not_allowed(simulator: Running, others: str) -> None:
    status, document = await _get(simulator, f"/1.0/categories?impersonated_user_id={others}")
    assert (status, document["message"]) == (400, "Impersonating this user is not allowed")


async def test_a_method_that_is_not_served_is_a_405(simulator: Running) -> None:
    async with (
        ClientSession(simulator.origin, headers=GOOD) as session,
        session.delete("/1.0/categories/4242") as reply,
    ):
        assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")
        assert (await reply.json())["error"] == "method_not_allowed"
