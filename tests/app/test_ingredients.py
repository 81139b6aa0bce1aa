"""What makes two connections the same."""

from pathlib import Path

import pytest

from gateway.app.ingredients import connection_of, stamp_of
from tests.config.loading import config_of


@pytest.mark.parametrize(
    "sets",
    [
        ("upstreams.platform.origin=https://example.com",),
        ("upstreams.platform.proxy=http://proxy:1",),
        ("upstreams.platform.proxy=http://proxy:1", "upstreams.platform.proxy_auth=env:AUTH"),
        ("timeouts.connect_s=1",),
    ],
)
def test_what_makes_another_connection_is_told(sets: tuple[str, ...]) -> None:
    assert connection_of("platform", config_of(*sets), {}) != connection_of(
        "platform", config_of(*sets[:-1]), {}
    )


def test_what_concerns_requests_only_makes_the_same_connection() -> None:
    other = config_of("upstreams.platform.tunnel=header", "timeouts.first_byte_s=5")
    assert connection_of("platform", other, {}) == connection_of("platform", config_of(), {})


def test_the_proxy_of_the_environment_counts() -> None:
    environ = {"HTTPS_PROXY": "http://user:word@proxy:1"}
    config = config_of()
    assert connection_of("platform", config, environ) != connection_of("platform", config, {})
    assert "word" not in repr(connection_of("platform", config, environ))


def test_a_file_counts_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("one")
    first = stamp_of(str(file))
    file.write_text("two")
    assert stamp_of(str(file)) != first
    file.write_text("one")
    assert stamp_of(str(file)) == first
    assert stamp_of("") == ""
    with pytest.raises(FileNotFoundError):
        stamp_of(str(tmp_path / "gone"))
