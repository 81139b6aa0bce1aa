import base64

import pytest

from gateway.simulator.faults import Fault
from gateway.simulator.oauth.apps import (
    CLIENT_ID,
    CLIENT_SECRET,
    PUBLIC_CLIENT_ID,
    identify_app,
)
from gateway.simulator.reading import Wire


def _basic(text: str) -> bytes:
    return b"Basic " + base64.b64encode(text.encode("latin-1"))


def _identify(*values: bytes, client_id: str | None = None) -> str:
    headers = tuple((b"Authorization", value) for value in values)
    form = {} if client_id is None else {"client_id": client_id}
    return identify_app(Wire("POST", "/", headers), form)


GOOD = _basic(f"{CLIENT_ID}:{CLIENT_SECRET}")


def test_a_confidential_application_proves_itself_with_basic() -> None:
    assert _identify(GOOD) == CLIENT_ID
    assert _identify(GOOD.replace(b"Basic", b"bASIC"), client_id=CLIENT_ID) == CLIENT_ID


def test_a_public_application_names_itself() -> None:
    assert _identify(client_id=PUBLIC_CLIENT_ID) == PUBLIC_CLIENT_ID


@pytest.mark.parametrize(
    ("values", "client_id"),
    [
        ((), None),
        ((), CLIENT_ID),
        ((), "x"),
        ((GOOD,), PUBLIC_CLIENT_ID),
        ((GOOD, GOOD), None),
        ((_basic(f"{CLIENT_ID}:x"),), None),
        ((_basic(f"{PUBLIC_CLIENT_ID}:"),), None),
        ((_basic("\xe4"),), None),
        ((b"Basic ???",), None),
        ((b"Bearer x",), None),
    ],
)
def test_everybody_else_is_an_invalid_client(
    values: tuple[bytes, ...], client_id: str | None
) -> None:
    with pytest.raises(Fault, match="401 OAU-146"):
        _identify(*values, client_id=client_id)
