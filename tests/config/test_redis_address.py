"""The URL of a Redis: three schemes, no options, and nothing secret in what is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.redis_address import RedisAddress, parse_redis_address
from gateway.core.secret import Secret
from tests.config.loading import reason_of

HOSTS = st.sampled_from(["redis", "redis.corp.example", "127.0.0.1", "::1"])
ADDRESSES = st.builds(
    RedisAddress,
    host=HOSTS,
    port=st.integers(1, 65535),
    database=st.integers(0, 15),
    tls=st.booleans(),
)


@given(ADDRESSES)
def test_an_address_is_read_as_it_is_written(address: RedisAddress) -> None:
    assert parse_redis_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://redis", "redis://redis:6379/0"),
        ("redis://redis/", "redis://redis:6379/0"),
        ("rediss://redis:6380/3", "rediss://redis:6380/3"),
        ("redis://[::1]:1/0", "redis://[::1]:1/0"),
        ("unix:///run/redis/redis.sock", "unix:///run/redis/redis.sock"),
        ("redis://user:s3cr3t@redis", "redis://redis:6379/0"),
    ],
)
def test_what_is_left_out_has_its_default(text: str, shown: str) -> None:
    assert str(parse_redis_address(text)) == shown


def test_user_and_password_are_decoded_and_never_shown() -> None:
    address = parse_redis_address("rediss://us%65r:s3%40cr3t@redis")
    assert address.username == Secret(b"user")
    assert address.password == Secret(b"s3@cr3t")
    assert "cr3t" not in f"{address!r}{address}"
    socket = parse_redis_address("unix://:s3cr3t@/run/redis.sock")
    assert (socket.socket, socket.password) == ("/run/redis.sock", Secret(b"s3cr3t"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no URL of Redis"),
        ("redis", "is no URL of Redis"),
        ("http://s3cr3t", "is no URL of Redis"),
        ("redis://[s3cr3t", "is no URL"),
        ("redis://h:s3cr3t", "is no URL"),
        ("redis://h:65536", "is no URL"),
        ("redis://", "has no host"),
        ("redis:///0", "has no host"),
        ("rediss://h/0?ssl_cert_reqs=none&x=s3cr3t", "options"),
        ("redis://h/0#s3cr3t", "options"),
        ("redis://h/s3cr3t", "number of a database"),
        ("redis://h/0/1", "number of a database"),
        ("redis://h/1234567", "number of a database"),
        ("unix://host/path", "absolute path"),
        ("unix://", "absolute path"),
    ],
)
def test_anything_else_is_refused_without_showing_it(text: str, reason: str) -> None:
    said = reason_of(parse_redis_address, text)
    assert reason in said
    assert "s3cr3t" not in said


@given(st.text())
def test_nothing_raises_another_error(text: str) -> None:
    reason_of(parse_redis_address, f"redis://{text}")
    reason_of(parse_redis_address, text)
