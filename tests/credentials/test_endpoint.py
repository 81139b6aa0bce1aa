import asyncio
import time
from base64 import b64decode
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.secret import Secret
from gateway.credentials.answers import MAX_ANSWER_BYTES
from gateway.credentials.endpoint import (
    render_basic,
    render_form,
)
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.stores.file import FileStore
from gateway.stores.memory import MemoryStore
from gateway.stores.store import Store, StoreDown
from tests.credentials.desk import Answer, desk, endpoint_of
from tests.stores.telling import Told

PATH = "/restapi/oauth/token"
CLIENT = (Secret(b"app-id"), Secret(b"app:secret"))


async def test_a_call_is_a_form_with_the_canonical_user_agent_and_basic_credentials() -> None:
    async with desk((200, {"access_token": "a"})) as service:
        endpoint = endpoint_of(service)
        answer = await endpoint.post(
            PATH + "?x=1", {"grant_type": "g", "assertion": Secret(b"a+b/c=")}, basic=CLIENT
        )
        await endpoint.close()
    (call,) = service.calls
    assert answer == {"access_token": "a"}
    assert call.path == PATH + "?x=1"
    assert call.form == {"grant_type": "g", "assertion": "a+b/c="}
    lines = call.head.lower().split(b"\r\n")
    assert b"user-agent: desk-test/1.0" in lines
    assert b"x-user-agent: desk-test/1.0" in lines
    assert b"content-type: application/x-www-form-urlencoded" in lines
    assert b"host: 127.0.0.1:%d" % service.port in lines
    (basic,) = [line for line in call.head.split(b"\r\n") if b"uthorization" in line]
    assert b64decode(basic.split(b" ")[2]) == b"app-id:app:secret"


async def test_a_redirect_is_not_followed() -> None:
    async with desk((302, b"", "Location: http://127.0.0.1:1/steal")) as service:
        endpoint = endpoint_of(service)
        with pytest.raises(TokenCallFailed) as failed:
            await endpoint.post(PATH, {})
        await endpoint.close()
    assert failed.value.outcome is Outcome.ERROR
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("answer", "outcome", "retry_after_s"),
    [
        ((400, {"error": "invalid_grant"}), Outcome.REJECTED, None),
        ((401, {"error": "invalid_client"}), Outcome.REJECTED, None),
        ((403, b"no"), Outcome.ERROR, None),
        ((404, b""), Outcome.ERROR, None),
        ((429, {}, "Retry-After: 17"), Outcome.THROTTLED, 17.0),
        ((429, {}, "Retry-After: 0.1"), Outcome.THROTTLED, 0.1),
        ((429, {}), Outcome.THROTTLED, None),
        ((429, {}, "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"), Outcome.THROTTLED, 0.0),
        ((503, {}, "Retry-After: 2"), Outcome.THROTTLED, 2.0),
        ((503, {}), Outcome.ERROR, None),
        ((408, {}), Outcome.ERROR, None),
        ((500, {}, "Retry-After: 2"), Outcome.ERROR, None),
        ((502, {}), Outcome.ERROR, None),
        ((200, b"<html>"), Outcome.ERROR, None),
        ((200, b"[1]"), Outcome.ERROR, None),
        ((200, b"x" * (MAX_ANSWER_BYTES + 1)), Outcome.ERROR, None),
        ("cut", Outcome.UNREACHABLE, None),
    ],
)
async def test_how_a_call_fails(
    answer: Answer | str, outcome: Outcome, retry_after_s: float | None
) -> None:
    async with desk(answer) as service:
        endpoint = endpoint_of(service)
        with pytest.raises(TokenCallFailed) as failed:
            await endpoint.post(PATH, {"assertion": Secret(b"precious")})
        await endpoint.close()
    assert (failed.value.outcome, failed.value.retry_after_s) == (outcome, retry_after_s)
    assert "precious" not in str(failed.value)
    assert failed.value.__cause__ is None
    assert len(service.calls) == 1


async def test_silence_is_a_timeout() -> None:
    async with desk("silence") as service:
        endpoint = endpoint_of(service, timeout_s=0.05)
        with pytest.raises(TokenCallFailed, match="did not answer") as failed:
            await endpoint.post(PATH, {})
        await endpoint.close()
    assert failed.value.outcome is Outcome.TIMEOUT


async def test_nobody_there_is_unreachable() -> None:
    async with desk() as service:
        pass
    endpoint = endpoint_of(service)
    with pytest.raises(TokenCallFailed) as failed:
        await endpoint.post(PATH, {})
    await endpoint.close()
    assert failed.value.outcome is Outcome.UNREACHABLE


async def test_what_the_budget_does_not_allow_is_not_sent() -> None:
    async with desk() as service:
        endpoint = endpoint_of(service, limit=2)
        await endpoint.post(PATH, {})
        await endpoint.post(PATH, {})
        with pytest.raises(TokenCallFailed) as failed:
            await endpoint.post(PATH, {})
        await endpoint.close()
    assert len(service.calls) == 2
    assert failed.value.outcome is Outcome.BUDGET
    assert failed.value.retry_after_s is not None
    assert 59.0 < failed.value.retry_after_s <= 60.0


class Fallen(MemoryStore):
    """A store that cannot be asked for budgets, or told of penalties."""

    async def spend(self, key: str, limit: int, window_s: float) -> float:
        raise StoreDown("down")

    async def shut(self, door: str, for_s: float) -> None:
        raise StoreDown("down")


async def test_without_the_store_this_process_keeps_to_the_budget_by_itself() -> None:
    async with desk() as service:
        endpoint = endpoint_of(service, Fallen(), limit=2)
        await asyncio.gather(endpoint.post(PATH, {}), endpoint.post(PATH, {}))
        with pytest.raises(TokenCallFailed) as failed:
            await endpoint.post(PATH, {})
        await endpoint.close()
    assert len(service.calls) == 2
    assert failed.value.outcome is Outcome.BUDGET


async def test_a_store_that_is_away_is_told_of_no_penalty() -> None:
    async with desk((429, {}, "Retry-After: 30")) as service:
        endpoint = endpoint_of(service, Fallen())
        with pytest.raises(TokenCallFailed, match="429") as failed:
            await endpoint.post(PATH, {})
        await endpoint.close()
    assert failed.value.retry_after_s == 30.0


async def penalty_told(store: Store, told: str) -> None:
    async with desk((429, {}, told)) as service:
        endpoint = endpoint_of(service, store)
        with pytest.raises(TokenCallFailed, match="429"):
            await endpoint.post(PATH, {})
        await endpoint.close()


async def penalty_seen(store: Store) -> float:
    """Return how long another gateway, that calls meanwhile, has to wait; 0.0 when it may."""
    async with desk() as service:
        endpoint, wait_s = endpoint_of(service, store), 0.0
        try:
            await endpoint.post(PATH, {})
        except TokenCallFailed as failure:
            if failure.outcome is Outcome.THROTTLED and not service.calls:
                wait_s = failure.retry_after_s or 0.0
        await endpoint.close()
    return wait_s


async def test_what_one_is_told_all_heed_until_it_is_over() -> None:
    now = [1000.0]
    store = MemoryStore(lambda: now[0])
    await penalty_told(store, "Retry-After: 30")
    assert await penalty_seen(store) == 30.0
    now[0] += 29.5
    assert await penalty_seen(store) == 0.5
    now[0] += 1.0
    assert await penalty_seen(store) == 0.0


async def test_a_penalty_is_believed_for_a_day_at_most() -> None:
    store = MemoryStore(lambda: 1000.0)
    await penalty_told(store, "Retry-After: 999999999")
    assert await penalty_seen(store) == 86_400.0


async def test_a_penalty_without_a_time_lasts_for_a_window() -> None:
    store = MemoryStore(lambda: 1000.0)
    await penalty_told(store, "X-Odd: 1")
    assert await penalty_seen(store) == 60.0


async def test_a_clock_that_was_ahead_makes_a_penalty_no_longer(tmp_path: Path) -> None:
    ahead_s = [400 * 86_400.0]
    store = FileStore(str(tmp_path / "store.json"), Told(), clock=lambda: time.time() + ahead_s[0])
    await penalty_told(store, "Retry-After: 30")
    assert 29.0 < await penalty_seen(store) <= 30.0
    ahead_s[0] = 0.0
    assert await penalty_seen(store) == 0.0
    await store.close()


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=4))
def test_a_form_is_read_as_it_was_written(form: dict[str, str]) -> None:
    secret = {name: Secret(value.encode()) for name, value in form.items()}
    assert dict(parse_qsl(render_form(secret).decode(), strict_parsing=bool(form))) == form
    assert render_form(form) == render_form(secret)


def test_basic_credentials_are_not_encoded_first() -> None:
    assert b64decode(render_basic(Secret(b"i+d"), Secret(b"p%:/")).split()[1]) == b"i+d:p%:/"
