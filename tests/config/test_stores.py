"""`[stores]`: what is kept where, and the secrets it refers to."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.redis_address import RedisAddress
from gateway.config.secrets import Reference, Unresolved
from gateway.config.stores import StoresConfig, resolve_key, resolve_redis
from gateway.core.secret import Secret
from tests.config.loading import config_of, load_sets

KEY = Reference("env", "KEY")
URL = Reference("env", "REDIS_URL")


def test_nothing_said_is_a_store_in_memory() -> None:
    stores = config_of().stores
    assert stores == StoresConfig()
    assert (stores.file, stores.redis, stores.key, stores.lease_s) == ("", None, None, 10)


def test_what_is_empty_is_as_if_it_were_not_said() -> None:
    assert config_of("stores.redis=''", "stores.key=''").stores == StoresConfig()


def test_a_redis_is_an_address_or_a_reference() -> None:
    assert config_of("stores.redis=redis://h:1/2").stores.redis == RedisAddress("h", 1, 2)
    assert config_of("stores.redis=env:REDIS_URL").stores.redis == URL
    stores = StoresConfig(redis=RedisAddress("h"), key=KEY)
    assert (stores.redis, stores.key) == (RedisAddress("h"), KEY)


def test_what_is_shown_has_no_secret() -> None:
    loaded = load_sets("stores.redis=literal:redis://:s3cr3t@h/0", "stores.key=literal:s3cr3t")
    shown = {path: value for path, value, _ in loaded.rows() if path.startswith("stores.")}
    assert shown["stores.redis"] == shown["stores.key"] == "literal:********"
    assert "s3cr3t" not in repr(loaded.config)


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_read_from_hex_and_from_base64(key: bytes) -> None:
    for text in (key.hex(), key.hex().upper(), base64.b64encode(key).decode()):
        assert resolve_key(KEY, {"KEY": text}) == Secret(key)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("s3cr3t!", "env:KEY is no key; make one with: openssl rand -hex 32"),
        ("z" * 64, "env:KEY is no key"),
        ("!" * 64, "env:KEY is no key"),
        ("QUJDRA==", "env:KEY has 4 bytes, not 32; it is no key"),
        ("ab cd" * 12 + "abcd", "env:KEY"),
        ("", "variable KEY is empty"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(text: str, reason: str) -> None:
    with pytest.raises(Unresolved) as refused:
        resolve_key(KEY, {"KEY": text})
    assert str(refused.value).startswith(reason)
    assert "s3cr3t" not in str(refused.value)


def test_a_redis_behind_a_reference_is_read_with_its_password() -> None:
    address = resolve_redis(URL, {"REDIS_URL": "rediss://:s3cr3t@h"})
    assert (str(address), address.password) == ("rediss://h:6379/0", Secret(b"s3cr3t"))
    assert resolve_redis(address, {}) is address


def test_a_redis_behind_a_reference_that_is_none_is_refused() -> None:
    with pytest.raises(Unresolved, match="env:REDIS_URL has no host"):
        resolve_redis(URL, {"REDIS_URL": "redis://:s3cr3t@"})
    with pytest.raises(Unresolved, match="REDIS_URL is not set"):
        resolve_redis(URL, {})
