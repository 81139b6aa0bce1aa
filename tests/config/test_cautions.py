"""What is allowed, and may not be meant."""

import pytest

from gateway.config.cautions import cautions
from gateway.config.load import load
from tests.config.loading import config_of

CHAIN = (
    "credentials.ringcentral.grant=refresh_token",
    'credentials.ringcentral.client_id="env:ID"',
    'credentials.ringcentral.refresh_token="env:TOKEN"',
)


def test_a_chain_of_refresh_tokens_in_memory_is_over_at_a_restart() -> None:
    (caution,) = cautions(load([], CHAIN, {}).config)
    assert caution.path == "credentials.ringcentral.refresh_token"
    assert "set stores.file or stores.redis" in caution.message


@pytest.mark.parametrize("kept", ["stores.file=/var/lib/tokens", "stores.redis=redis://127.0.0.1"])
def test_a_chain_that_is_kept_is_nothing_to_speak_of(kept: str) -> None:
    assert not list(cautions(load([], (*CHAIN, kept), {}).config))


def test_a_token_that_can_be_had_again_is_nothing_to_speak_of() -> None:
    assert not list(cautions(config_of()))


def test_workers_learn_the_limits_of_the_vendor_by_themselves_without_redis() -> None:
    (caution,) = cautions(config_of("engine.workers=2"))
    assert caution.path == "engine.workers"
    assert "set stores.redis to have one count" in caution.message
    for more in ("rates.mode=off", "rates.mode=observe", "stores.redis=redis://127.0.0.1"):
        assert not list(cautions(config_of("engine.workers=2", more)))


@pytest.mark.parametrize("origin", ["https://rc.corp.example", "http://127.0.0.1:9"])
def test_the_media_host_of_another_environment_is_cautioned_of(origin: str) -> None:
    config = load([], ["credentials.ringcentral.token=env:T"], {"RC_SERVER_URL": origin}).config
    (caution,) = cautions(config)
    assert str(caution) == (
        "upstreams.media.origin: is https://media.ringcentral.com, and the tokens for "
        f"{origin} go there as well; set the host of media that belongs to it"
    )


@pytest.mark.parametrize(
    "more",
    [
        ("upstreams.platform.origin=https://platform.devtest.ringcentral.com",),
        ("upstreams.platform.origin=https://x", "upstreams.media.origin=https://y"),
        ("upstreams.platform.origin=https://x", "upstreams.media.origin=https://x"),
        (
            "upstreams.platform.origin=https://x",
            "upstreams.media.credential=other",
            "credentials.other.grant=passthrough",
        ),
        ("upstreams.platform.origin=https://media.ringcentral.com",),
    ],
)
def test_a_media_host_that_belongs_there_is_nothing_to_speak_of(more: tuple[str, ...]) -> None:
    assert not list(cautions(config_of(*more)))


def test_a_credential_that_no_upstream_uses_is_cautioned_of() -> None:
    cx = ("upstreams.ringcx={}", "credentials.cx={grant='ringcx', source='spare'}")
    assert [*map(str, cautions(config_of("credentials.spare.grant=jwt", *cx)))] == [
        'credentials.spare: is used by no upstream; set upstreams.NAME.credential = "spare", '
        "or remove it",
        'credentials.cx: is used by no upstream; set upstreams.NAME.credential = "cx", '
        "or remove it",
    ]


def test_a_name_that_is_nearly_one_that_is_used_is_taken_for_a_slip() -> None:
    (caution,) = cautions(config_of("credentials.ringcentrl.token=env:T"))
    assert str(caution) == (
        "credentials.ringcentrl: is used by no upstream; did you mean credentials.ringcentral?"
    )


def test_what_is_exchanged_and_what_nobody_wrote_is_used() -> None:
    cx = ("upstreams.ringcx.credential=cx", "credentials.cx={grant='ringcx', source='spare'}")
    assert not list(cautions(config_of(*cx, "credentials.spare.token=env:T")))
    assert not list(cautions(config_of("upstreams.ringcx={}")))
    assert not list(cautions(load([], [], {}).config))
