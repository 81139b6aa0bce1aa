"""Who shares a store calls a caller by one name; who is alone draws its own."""

from typing import Any

import pytest

from gateway.app.rate_secret import rate_secret
from gateway.config.stores import StoresConfig
from gateway.errors import ConfigError

REDIS = {"redis": "redis://127.0.0.1:1/0"}
KEYS = {"ONE": "ab" * 32, "TWO": "cd" * 32}


def secret(**table: Any) -> bytes:
    return rate_secret(StoresConfig(**table), KEYS)


def test_gateways_that_share_a_redis_have_one_secret() -> None:
    assert secret(**REDIS) == secret(**REDIS, redis_ca_file="/ca.pem")
    # Each may have its own way there.
    assert secret(**REDIS) == secret(redis="unix:///run/redis.sock")
    assert secret(**REDIS, key="env:ONE") == secret(**REDIS, key="env:ONE")


def test_another_key_is_another_secret_and_the_key_itself_is_none() -> None:
    secrets = {secret(**REDIS), secret(**REDIS, key="env:ONE"), secret(**REDIS, key="env:TWO")}
    assert len(secrets) == 3
    assert not secrets & set(map(bytes.fromhex, KEYS.values()))


def test_without_a_redis_each_process_draws_its_own() -> None:
    assert secret() != secret()
    assert secret(file="/x/tokens.json", key="env:ONE") != secret(
        file="/x/tokens.json", key="env:ONE"
    )


def test_a_key_that_is_gone_is_a_problem_of_the_configuration() -> None:
    with pytest.raises(ConfigError):
        secret(**REDIS, key="env:GONE")
