"""A configuration that lacks credentials can be looked at."""

import pytest

from gateway.cli.assume import load_assuming
from gateway.errors import ConfigError


def test_each_missing_credential_is_assumed_and_named() -> None:
    loaded, missing = load_assuming([], ["upstreams.ringcx.credential=cx-1"], {})
    assert missing == ("credentials.cx-1",)
    assert loaded.config.credentials["cx-1"].grant == "static"


def test_what_is_configured_is_not_assumed() -> None:
    environ = {"RCGW_CREDENTIALS__RINGCENTRAL__GRANT": "passthrough"}
    loaded, missing = load_assuming([], [], environ)
    assert missing == ()
    assert loaded.config.credentials["ringcentral"].grant == "passthrough"


@pytest.mark.parametrize(
    ("sets", "paths"),
    [
        (["log.level=loud"], ["log.level"]),
        (["credentials.ringcentral.grant=static"], ["credentials.ringcentral.token"]),
    ],
)
def test_every_other_problem_stays_one(sets: list[str], paths: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_assuming([], sets, {})
    assert [problem.path for problem in caught.value.problems] == paths
