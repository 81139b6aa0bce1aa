"""gateway/policy/rate_groups.py."""

from dataclasses import replace

import pytest

from gateway.policy.rate_groups import Fare, RateGroups, RateKey, charged_key
from gateway.policy.rate_windows import Window
from gateway.policy.routes import Scheme
from tests.policy.world import permitted_of

STORE = "/restapi/v1.0/account/~/extension/~/message-store"
PROMPT = "/restapi/v1.0/account/~/ivr-prompts/5"
REPORTS = "/voice/api/cx/integration/v1/accounts/9/sub-accounts/8/agg-agent-stats"


def key_of(
    method: str,
    target: str,
    lines: str = "",
    *,
    scheme: Scheme | None = None,
    groups: RateGroups | None = None,
) -> RateKey:
    return (groups or RateGroups(b"key")).key_of(permitted_of(method, target, lines, scheme))


@pytest.mark.parametrize(
    ("method", "target", "lines", "group"),
    [
        ("GET", STORE, "", "light"),
        ("HEAD", STORE, "", "light"),
        ("GET", PROMPT, "", "medium"),
        ("DELETE", PROMPT, "", "heavy"),
        ("POST", PROMPT + "?_method=DELETE", "", "heavy"),
        ("POST", PROMPT, "X-HTTP-Method-Override: DELETE", "heavy"),
        ("GET", "/restapi/v1.0", "", "nothrottling"),
        ("GET", "/restapi/v9.9/unheard/of", "", ""),
    ],
)
def test_the_group_is_the_catalogues_by_the_effective_method(
    method: str, target: str, lines: str, group: str
) -> None:
    key = key_of(method, target, lines)
    assert (key.upstream, key.credential, key.group) == ("platform", "ringcentral", group)
    assert key.bucket == ("ringcentral", group)


def test_platform_and_media_share_the_buckets_of_their_credential() -> None:
    media = key_of("GET", "/restapi/v1.0/account/~/recording/5/content")
    assert (media.upstream, media.credential) == ("media", "ringcentral")


def test_what_an_answer_said_of_an_operation_holds_for_its_every_path() -> None:
    groups = RateGroups(b"key")
    groups.learn(key_of("GET", f"{STORE}/1", groups=groups), "enormous")
    assert key_of("GET", f"{STORE}/2", groups=groups).group == "enormous"
    assert key_of("HEAD", f"{STORE}/3", groups=groups).group == "enormous"
    assert key_of("DELETE", f"{STORE}/2", groups=groups).group != "enormous"
    assert key_of("GET", STORE, groups=groups).group == "light"


def test_a_path_of_no_catalogue_is_known_by_its_shape() -> None:
    groups = RateGroups(b"key")
    groups.learn(key_of("GET", "/restapi/v9/new/17/thing", groups=groups), "novel")
    assert key_of("GET", "/restapi/v9/new/18/thing", groups=groups).group == "novel"
    assert key_of("POST", "/restapi/v9/new/18/thing", groups=groups).group == ""
    assert key_of("GET", "/restapi/v9/new/18/other", groups=groups).group == ""
    assert key_of("GET", "/restapi/v9/new/%FF/thing", groups=groups).group == ""


def test_a_service_with_documented_windows_has_the_family_of_the_path() -> None:
    assert key_of("GET", "/voice/api/v1/admin/users") == RateKey(
        "ringcx", "ringcx", "ringcx", "", (Window(120, 60.0),)
    )
    reports = key_of("POST", REPORTS)
    assert (reports.group, reports.windows[0]) == ("ringcx-reports/8", Window(3, 60.0))


SAME_TOKEN = [
    ("GET", STORE, "Authorization: Bearer t0ken"),
    ("GET", STORE, "authorization: bearer t0ken"),
    ("GET", STORE, "X-Auth-Token: t0ken"),
    ("GET", f"{STORE}?access_token=t0%6ben", ""),
]


def test_a_token_that_passes_through_is_one_user_wherever_it_stands_and_is_not_shown() -> None:
    keys = [key_of(*asked, scheme=Scheme.PASSTHROUGH) for asked in SAME_TOKEN]
    assert len({key.bucket for key in keys}) == 1
    assert keys[0].credential.startswith("ringcentral:")
    assert "t0ken" not in repr(keys)


def test_other_tokens_and_other_keys_of_the_hash_make_other_users() -> None:
    asked = permitted_of(*SAME_TOKEN[0], Scheme.PASSTHROUGH)
    other = permitted_of("GET", STORE, "Authorization: Bearer other", Scheme.PASSTHROUGH)
    nobody = permitted_of("GET", STORE, "", Scheme.PASSTHROUGH)
    names = {RateGroups(b"key").key_of(one).credential for one in (asked, other, nobody)}
    assert len(names) == 3
    assert RateGroups(b"another").key_of(asked).credential not in names


def test_an_owned_credential_is_its_name_whatever_the_caller_sends() -> None:
    assert key_of(*SAME_TOKEN[0]).credential == "ringcentral"


def test_an_upstream_that_gets_another_credential_is_charged_to_that_one() -> None:
    groups = RateGroups(b"key")
    permitted = permitted_of("GET", STORE)
    upstream = replace(permitted.routed.upstream, credential="other")
    other = replace(permitted, routed=replace(permitted.routed, upstream=upstream))
    names = [groups.key_of(one).credential for one in (permitted, other, permitted)]
    assert names == ["ringcentral", "other", "ringcentral"]


def test_the_vendor_charges_the_group_that_it_names_but_where_windows_are_documented() -> None:
    key = RateKey("platform", "ringcentral", "light", "GET /x")
    assert charged_key(key, "") is key
    assert charged_key(key, "light") is key
    assert charged_key(key, "heavy") == replace(key, group="heavy")
    reports = key_of("POST", REPORTS)
    assert charged_key(reports, "heavy") is reports


def test_a_fare_is_of_an_edition_that_ends_when_a_group_is_learned() -> None:
    groups, permitted = RateGroups(b"key"), permitted_of("GET", STORE)
    fare = Fare(permitted)
    assert fare.edition is not groups.edition
    key = groups.look_up(fare)
    assert fare.key is key is groups.key_of(permitted)
    assert fare.edition is groups.edition
    groups.learn(key, "enormous")
    assert fare.edition is not groups.edition
    assert groups.look_up(fare).group == "enormous"
    assert fare.edition is groups.edition
