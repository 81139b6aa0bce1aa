"""`[stores]`: where tokens and budgets are kept; in memory when nothing is said.

Rule: a Redis with a user or password is written as a reference, as every secret is.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator

from gateway.config.redis_address import FORM, RedisAddress, parse_redis_address
from gateway.config.secrets import Reference, Unresolved, parse_reference
from gateway.config.section import Section
from gateway.config.upstreams import check_file_name
from gateway.core.secret import Secret

KEY_BYTES = 32
_KEY_FORM = f"is no key; make one with: openssl rand -hex {KEY_BYTES}"
_REDIS_FORM = f'write {FORM}, or "env:NAME" or "file:/path" of such a URL'


def _read_redis(value: object) -> RedisAddress | Reference | None:
    match value:
        case None | "":
            return None
        case RedisAddress() | Reference():
            return value
        case str() if value.partition(":")[0] in ("env", "file", "literal"):
            return parse_reference(value)
        case str():
            return _without_password(value)
        case _:
            raise ValueError(_REDIS_FORM)


def _without_password(text: str) -> RedisAddress:
    try:
        address = parse_redis_address(text)
    except ValueError as error:
        raise ValueError(f"the text {error}") from None
    if len(address.username) or len(address.password):
        raise ValueError(
            'a user or password does not stand here in clear; write "env:NAME" or "file:/path", '
            "and the whole URL there"
        )
    return address


def _read_key(value: object) -> Reference | None:
    match value:
        case None | "":
            return None
        case Reference():
            return value
        case str():
            return parse_reference(value)
        case _:
            raise ValueError("write text in quotes")


def _check_absolute(text: str) -> str:
    if text and not text.startswith("/"):
        raise ValueError('write an absolute path, such as "/var/lib/rc-gateway/tokens.json"')
    return check_file_name(text)


def _check_prefix(text: str) -> str:
    # Braces choose the slot of a key in a cluster, and are ours.
    if not (text.isascii() and text.isprintable()) or set(text) & set("{} "):
        raise ValueError("the prefix takes printable ASCII without a space and without { }")
    return text


_SHOWN = PlainSerializer(lambda value: "" if value is None else str(value), return_type=str)
RedisField = Annotated[
    RedisAddress | Reference | None,
    PlainValidator(_read_redis, json_schema_input_type=str),
    _SHOWN,
]
KeyField = Annotated[
    Reference | None, PlainValidator(_read_key, json_schema_input_type=str), _SHOWN
]


class StoresConfig(Section):
    """`[stores]`: the memory that survives a restart, or that a fleet shares."""

    file: Annotated[str, AfterValidator(_check_absolute)] = Field(
        default="",
        description="absolute path of a file that keeps tokens over a restart",
    )
    redis: RedisField = Field(
        default=None,
        json_schema_extra={"default": ""},
        description=f"Redis or Valkey that a fleet shares: {FORM}, or a reference to one",
    )
    redis_prefix: Annotated[str, AfterValidator(_check_prefix)] = Field(
        default="rcgw:", description="what the names of the gateway's keys in Redis begin with"
    )
    redis_ca_file: Annotated[str, AfterValidator(check_file_name)] = Field(
        default="",
        description="PEM file of authorities to trust besides the system's; empty for none",
    )
    key: KeyField = Field(
        default=None,
        json_schema_extra={"default": ""},
        description="reference to 32 bytes, in base64 or hex, that seal what is kept",
    )
    lease_s: float = Field(
        default=10,
        gt=0,
        # Longer than any token call; what a crash costs the others with Redis.
        le=300,
        description="seconds after which the task of a holder that does not answer is another's",
    )

    @property
    def outlive(self) -> bool:
        """Tell whether what is kept survives a restart."""
        return bool(self.file) or self.redis is not None


def resolve_key(reference: Reference, environ: Mapping[str, str]) -> Secret:
    """Return the 32 bytes that a reference leads to, or raise `Unresolved`."""
    text = reference.resolve(environ).reveal()
    is_hex = len(text) == 2 * KEY_BYTES
    try:
        key = bytes.fromhex(text.decode()) if is_hex else base64.b64decode(text, validate=True)
    except ValueError:
        raise Unresolved(f"{reference} {_KEY_FORM}") from None
    if len(key) != KEY_BYTES:
        raise Unresolved(f"{reference} has {len(key)} bytes, not {KEY_BYTES}; it {_KEY_FORM}")
    return Secret(key)


def resolve_redis(given: RedisAddress | Reference, environ: Mapping[str, str]) -> RedisAddress:
    """Return where Redis is, or raise `Unresolved`."""
    if isinstance(given, RedisAddress):
        return given
    text = given.resolve(environ).reveal().decode("ascii")
    try:
        return parse_redis_address(text)
    except ValueError as error:
        raise Unresolved(f"{given} {error}") from None
