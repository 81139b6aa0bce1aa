import pytest

from gateway.simulator import mailbox, media, outbox
from gateway.simulator.faults import Fault
from gateway.simulator.operations import SERVED, Found, find_operation, is_open
from gateway.simulator.reading import Wire, parse_wire
from gateway.simulator.world import ACCOUNT, EXTENSION

STORE = "/restapi/v1.0/account/~/extension/~/message-store"


def _find(method: str, path: str) -> Found:
    return find_operation(parse_wire(Wire(method, path), "http://h"))


@pytest.mark.parametrize("template", list(SERVED))
def test_what_is_served_is_found_with_tilde_and_with_head(template: str) -> None:
    path = template.replace("{accountId}", "~").replace("{extensionId}", "%7E")
    for method, operation in SERVED[template].items():
        assert _find(method, path).run is operation
    if "GET" in SERVED[template]:
        assert _find("HEAD", path).run is SERVED[template]["GET"]


def test_variables_are_filled() -> None:
    found = _find("GET", f"{EXTENSION}/message-store/7/content/8")
    assert found.run is media.read_content
    assert found.ids["messageId"] == "7"
    assert found.ids["attachmentId"] == "8"


@pytest.mark.parametrize(
    "path",
    [
        "*",
        "/",
        "/restapi/",
        "/restapi/v2",
        "/RESTAPI",
        f"{ACCOUNT}/extension",
        f"{STORE}/",
        f"{STORE}//content/1",
        f"{STORE}/1,2",
        f"{STORE}/*",
        f"{ACCOUNT}/recording",
        "/restapi/v1.0/account/~/extension/~/fax",
    ],
)
def test_anything_else_is_an_invalid_uri(path: str) -> None:
    with pytest.raises(Fault, match="404 CMN-120 Invalid URI"):
        _find("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", f"{STORE}/1", "GET, HEAD, PUT, PATCH, DELETE"),
        ("DELETE", STORE, "GET, HEAD"),
        ("OPTIONS", "/restapi", "GET, HEAD"),
        ("HEAD", f"{EXTENSION}/sms", "POST"),
    ],
)
def test_a_method_that_a_path_has_not_is_answered_with_those_it_has(
    method: str, path: str, allowed: str
) -> None:
    with pytest.raises(Fault, match="405 CMN-202") as caught:
        _find(method, path)
    assert caught.value.headers == {"Allow": allowed}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/restapi/v1.0/account/1", "accountId"),
        ("/restapi/v1.0/account/~/extension/1/message-store", "extensionId"),
    ],
)
def test_somebody_elses_account_is_missing(path: str, name: str) -> None:
    with pytest.raises(Fault, match="404 CMN-102") as caught:
        _find("GET", path)
    assert caught.value.parameter == name


def test_a_path_without_a_get_has_what_it_has() -> None:
    assert _find("POST", f"{EXTENSION}/sms").run is outbox.send_sms


def test_put_and_patch_are_one_operation() -> None:
    assert _find("PUT", f"{STORE}/1").run is mailbox.update_message
    assert _find("PATCH", f"{STORE}/1").run is mailbox.update_message


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/restapi", True),
        ("/restapi/v1.0", True),
        ("/.well-known/openid-configuration", True),
        ("/restapi/oauth/jwks", True),
        ("/restapi/oauth/userinfo", False),
        (ACCOUNT, False),
    ],
)
def test_only_the_versions_and_the_configuration_are_open(path: str, expected: bool) -> None:
    assert is_open(parse_wire(Wire("GET", path), "http://h")) is expected
