import asyncio

from gateway.simulator.control.troubles import Trouble, Troubles
from gateway.simulator.reading import Wire

TOKEN_CALL = Wire("POST", "/restapi/oauth/token?x=y")
RINGCX_CALL = Wire("POST", "/api/auth/token/refresh")


def test_troubles_are_met_in_their_order_and_by_their_kind() -> None:
    troubles = Troubles()
    first, second = Trouble("ringcx", status=500), Trouble(status=503)
    troubles.ask(first, 1)
    troubles.ask(second, 2)
    assert troubles.meet(Wire("POST", "/restapi/v1.0")) is None
    assert troubles.meet(TOKEN_CALL) is second
    assert troubles.meet(RINGCX_CALL) is first
    assert troubles.meet(RINGCX_CALL) is second
    assert troubles.meet(TOKEN_CALL) is None


def test_a_trouble_of_the_api_meets_the_effective_method() -> None:
    troubles = Troubles()
    troubles.ask(Trouble("api", "PUT", status=503), 2)
    override = ((b"X-HTTP-Method-Override", b"put"),)
    assert troubles.meet(TOKEN_CALL) is None
    assert troubles.meet(Wire("POST", "/restapi/v1.0")) is None
    assert troubles.meet(Wire("PUT", "/-/simulator/x", is_local=True)) is None
    assert troubles.meet(Wire("POST", "/restapi/v1.0", override))
    assert troubles.meet(Wire("PUT", "/restapi/v1.0?_method=DELETE"))
    assert not troubles.pending


async def test_a_call_is_held_until_it_is_released() -> None:
    troubles = Troubles()
    call = asyncio.create_task(troubles.hold(Trouble(held=True)))
    await asyncio.sleep(0)
    assert troubles.held == 1
    troubles.release()
    await call
    assert troubles.held == 0


async def test_a_call_is_held_for_a_time() -> None:
    await Troubles().hold(Trouble(held=True, held_s=0.01))


async def test_releasing_once_does_not_open_the_gate_for_good() -> None:
    troubles = Troubles()
    troubles.release()
    call = asyncio.create_task(troubles.hold(Trouble(held=True)))
    await asyncio.sleep(0)
    assert not call.done()
    troubles.clear()
    await call


async def test_what_is_not_held_goes_on_at_once() -> None:
    await Troubles().hold(Trouble(status=503))
