"""The small sections: the contract's defaults and every choice it names."""

from typing import Any

import pytest

from gateway import __version__
from gateway.config.model import Config
from gateway.core.query import Mode, Profile
from gateway.policy.rates import RateMode
from tests.config.loading import config_of


def test_the_defaults_are_the_contracts() -> None:
    tree: dict[str, Any] = Config().model_dump(mode="json")
    assert tree["listener"] == {"bind": ["127.0.0.1:8080"], "hosts": [], "anyone": False}
    assert tree["ops"] == {"bind": "127.0.0.1:9902", "ready_requires": []}
    assert tree["user_agent"] == {"product": f"rc-gateway/{__version__}", "comment": ""}
    assert tree["tunnel"] == {"accept": ["header", "query"]}
    assert tree["query"] == {"profile": "ringcentral", "mode": "reject", "plus": "report"}
    assert tree["links"] == {"rewrite": "on", "public_origin": ""}
    assert tree["rates"] == {"mode": "shield", "max_wait_s": 30, "max_queue": 100}
    assert tree["retries"] == {"on_status": [503]}
    assert tree["log"] == {"level": "info", "format": "json", "requests": "on"}


def test_a_bind_may_stand_alone_or_in_a_list() -> None:
    one = config_of("listener.bind='unix:/run/a.sock'").listener
    two = config_of("listener.bind=['127.0.0.1:1', 'unix:/run/a.sock']").listener
    assert one.bind == two.bind[1:]


@pytest.mark.parametrize("profile", Profile)
def test_every_profile_can_be_chosen(profile: Profile) -> None:
    assert config_of(f"query.profile={profile}").query.profile is profile


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_can_be_chosen(mode: Mode) -> None:
    query = config_of(f"query.mode={mode}", f"query.plus={mode}").query
    assert query.mode is query.plus is mode


@pytest.mark.parametrize("mode", RateMode)
def test_every_rate_mode_can_be_chosen(mode: RateMode) -> None:
    rates = config_of(f"rates.mode={mode}", "rates.max_wait_s=2.5", "rates.max_queue=7").rates
    assert (rates.mode, rates.max_wait_s, rates.max_queue) == (mode, 2.5, 7)


@pytest.mark.parametrize("statuses", [(), (502,), (504, 503)])
def test_the_answers_that_are_repeated_can_be_chosen(statuses: tuple[int, ...]) -> None:
    assert config_of(f"retries.on_status={[*statuses]}").retries.on_status == statuses


def test_untunnelling_can_be_switched_off() -> None:
    assert config_of("tunnel.accept=[]").tunnel.accept == ()


def test_the_vendors_own_user_agent_is_accepted() -> None:
    agent = config_of(
        "user_agent.product=RCMobile/3.6.0",
        "user_agent.comment=RingCentral; Android/2.6; rev.12345",
    ).user_agent
    assert agent.comment == "RingCentral; Android/2.6; rev.12345"


def test_hosts_are_names_with_or_without_a_port() -> None:
    hosts = ("rc.corp.example", "rc.corp.example:8443", "10.0.0.1", "[::1]:80")
    assert config_of(f"listener.hosts={[*hosts]}").listener.hosts == hosts


@pytest.mark.parametrize("text", ["https://rc.corp.example", "http://rc.corp.example:8080"])
def test_the_public_origin_may_be_any_origin_and_is_written_back(text: str) -> None:
    links = config_of(f"links.public_origin={text}").links
    assert str(links.public_origin) == text
    assert links.model_dump(mode="json")["public_origin"] == text


def test_an_empty_public_origin_is_none() -> None:
    assert config_of("links.public_origin=''").links.public_origin is None
