"""One request of a bucket goes first, and nobody waits for its answer for long."""

import asyncio

import pytest

from gateway.engine import first_answers
from gateway.engine.first_answers import FirstAnswers
from gateway.policy.rate_groups import RateKey

LIGHT = RateKey("platform", "ringcentral", "light", "GET /x")


def answers() -> FirstAnswers:
    return FirstAnswers(asyncio.get_running_loop())


async def test_the_others_go_when_the_first_one_is_answered() -> None:
    first = answers()
    await first.turn(LIGHT)
    waiting = [asyncio.create_task(first.turn(LIGHT)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    first.end(LIGHT, answered=True)
    await asyncio.gather(*waiting)
    await first.turn(LIGHT)


async def test_after_a_failure_another_one_goes_first() -> None:
    first = answers()
    await first.turn(LIGHT)
    waiting = [asyncio.create_task(first.turn(LIGHT)) for _ in range(2)]
    await asyncio.sleep(0)
    first.end(LIGHT)
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert (len(done), len(pending)) == (1, 1)
    first.end(LIGHT, answered=True)
    await asyncio.gather(*waiting)


async def test_a_slow_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_answers, "WITHIN_S", 0.01)
    first = answers()
    await first.turn(LIGHT)
    await first.turn(LIGHT)


@pytest.mark.parametrize("key", [RateKey("platform", "rc", "", "GET /x")])
async def test_what_has_no_group_waits_for_nobody(key: RateKey) -> None:
    first = answers()
    await first.turn(key)
    await first.turn(key)
    first.end(key, answered=True)
