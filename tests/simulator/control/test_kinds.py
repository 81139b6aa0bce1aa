import pytest

from gateway.simulator.control.kinds import find_kind, is_desk
from gateway.simulator.reading import Wire


@pytest.mark.parametrize(
    ("method", "target", "kind"),
    [
        ("POST", "/restapi/oauth/token?x", "platform"),
        ("POST", "/api/auth/login/rc/accesstoken", "ringcx"),
        ("POST", "/api/auth/token/refresh", "ringcx"),
        ("POST", "/api/v1/auth/login", "legacy"),
        ("GET", "/restapi/oauth/token", "api"),
        ("POST", "/restapi/oauth/revoke", "api"),
        ("GET", "/voice/api/v1/admin/users", "api"),
        ("POST", "/-/simulator/fail?x", ""),
    ],
)
def test_a_request_is_known_by_its_path(method: str, target: str, kind: str) -> None:
    assert find_kind(Wire(method, target, is_local=True)) == kind


def test_to_who_is_not_on_loopback_the_desk_is_a_path_like_any_other() -> None:
    assert find_kind(Wire("POST", "/-/simulator/fail")) == "api"
    assert is_desk(("-", "simulator", "fail"))
    assert not is_desk(("-", "simulators"))
