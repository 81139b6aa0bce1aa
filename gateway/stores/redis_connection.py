"""The library redis-py, set up as the store needs it; imported when a store is made.

Left to itself it repeats what failed, names itself to the server, takes options from its
URL, and goes on when a task is cancelled at the wrong moment; none of that is wanted.

Rule: certificates are always verified, and names with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from gateway.config.redis_address import RedisAddress

if TYPE_CHECKING:
    from redis.asyncio import Redis


def connect(address: RedisAddress, *, ca_file: str, timeout_s: float) -> Redis:
    """Return a pool of connections; none is opened before it is used."""
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": ca_file or None} if address.tls else {}
    return Redis(
        host=address.host,
        port=address.port,
        db=address.database,
        unix_socket_path=address.socket or None,
        username=address.username.reveal().decode() or None,
        password=address.password.reveal().decode() or None,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        # Without RESP3 there are no messages that nobody asked for.
        protocol=2,
        decode_responses=False,
        driver_info=None,
        **tls,
    )


def failures() -> tuple[type[Exception], ...]:
    """Return what a command may raise when Redis is not well."""
    from redis.exceptions import RedisError

    return RedisError, OSError, TimeoutError


@contextmanager
def heeding_cancellation() -> Iterator[None]:
    """Raise `CancelledError` at the end when the task was cancelled, whatever came of it.

    redis-py 8.1 loses one that comes while it waits for an answer.
    """
    task = cast("asyncio.Task[object]", asyncio.current_task())
    before = task.cancelling()
    try:
        yield
    finally:
        if task.cancelling() > before:
            raise asyncio.CancelledError


def explain(error: Exception) -> str:
    """Return what is wrong with Redis, to follow its name, in words of ours."""
    from redis import exceptions as of_redis

    for kind, text in (
        (of_redis.AuthenticationError, "refuses the user or the password"),
        (of_redis.AuthenticationWrongNumberOfArgsError, "refuses the user or the password"),
        (of_redis.AuthorizationError, "refuses this user"),
        (of_redis.NoPermissionError, "does not let this user do what the store needs"),
        (of_redis.BusyLoadingError, "is loading its data"),
        (of_redis.ReadOnlyError, "is a replica that takes no writes"),
        (of_redis.OutOfMemoryError, "has no memory left"),
        ((of_redis.TimeoutError, TimeoutError), "did not answer in time"),
        ((of_redis.ConnectionError, OSError), "cannot be reached, or broke off"),
    ):
        if isinstance(error, kind):
            return text
    return f"answered with an error ({type(error).__name__})"
