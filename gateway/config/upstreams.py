"""`[upstreams.NAME]` and `[credentials.NAME]`: where requests go, and as whom.

The tables are filled from `presets` before they are read, so an upstream that lacks an
origin or a credential here is one that has no preset; `agreement` names it.

Rule: a field that may hold a secret is a `Reference`, which cannot print one.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from gateway.config.origins import parse_origin
from gateway.config.proxy_url import check_proxy
from gateway.config.secrets import Reference, parse_reference
from gateway.config.section import Section, read_text
from gateway.policy.routes import Origin

# Bare TOML keys that an environment variable can spell, whose names have no "__".
NAME = r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$"
_ENDPOINT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ROUTE = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")

_ORIGIN = (
    PlainValidator(read_text(parse_origin, Origin), json_schema_input_type=str),
    PlainSerializer(lambda origin: str(origin) if origin.host else "", return_type=str),
)
_REFERENCE = (
    PlainValidator(read_text(parse_reference, Reference), json_schema_input_type=str),
    # None stays None: what is written nowhere is no text.
    PlainSerializer(lambda value: None if value is None else str(value), return_type=str | None),
)
OriginField = Annotated[Origin, *_ORIGIN]
ReferenceField = Annotated[Reference | None, *_REFERENCE]

UNSET = Origin("https", "", 443)


def _no_default(schema: dict[str, Any]) -> None:
    """Keep from the JSON Schema a default that means "not given"."""
    schema.pop("default", None)


def _secret(description: str) -> Any:
    """Return the field of a reference that may be absent."""
    return Field(default=None, description=description, json_schema_extra=_no_default)


def _seconds(least: int, most: int) -> tuple[Any, ...]:
    """Return the bounds of a lifetime that may be left to the vendor."""
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Field(ge=least, le=most), WithJsonSchema(schema)


def _check_endpoint_id(text: str) -> str:
    if text and _ENDPOINT_ID.fullmatch(text) is None:
        raise ValueError('write up to 64 letters, digits and "._-", such as "billing-gateway"')
    return text


def _check_credential(name: str) -> str:
    if not name:
        raise ValueError("is empty; write a name in [credentials]")
    return name


def _check_route(text: str) -> str:
    if _ROUTE.fullmatch(text) is None:
        raise ValueError(
            f'{text[:80]!a} is not a path prefix; write whole segments, such as "/restapi"'
        )
    return text


def check_file_name(text: str) -> str:
    """Return the text if it can be the path of a file, or raise `ValueError`."""
    if not text.isprintable():
        raise ValueError("the path has a character that cannot be printed")
    return text


class UpstreamConfig(Section):
    """`[upstreams.NAME]`: one service of the vendor."""

    origin: OriginField = Field(
        default=UNSET,
        json_schema_extra=_no_default,
        description='"https://host[:port]"; http:// for loopback addresses only',
    )
    credential: Annotated[str, AfterValidator(_check_credential)] = Field(
        default="", json_schema_extra=_no_default, description="a name in [credentials]"
    )
    routes: Annotated[
        tuple[Annotated[str, AfterValidator(_check_route)], ...],
        Field(strict=False, min_length=1),
    ] = Field(
        default=(),
        json_schema_extra=_no_default,
        description="path prefixes of whole segments; those of media are removed before sending",
    )
    ca_file: Annotated[str, AfterValidator(check_file_name)] = Field(
        default="",
        description="PEM file of authorities to trust besides the system's; empty for none",
    )
    allow_impersonation: bool = Field(
        default=False,
        description="engage_digital: whether callers may send impersonated_user_id",
    )
    tunnel: Literal["off", "header", "query"] = Field(
        default="off",
        description="how PUT, PATCH and DELETE leave: as they are, or as POST with the verb in "
        "X-HTTP-Method-Override or in _method; HEAD then leaves as GET",
    )
    proxy: Annotated[str, AfterValidator(check_proxy)] = Field(
        default="",
        description='"http://host:port" of the proxy to reach it by; '
        "empty for HTTPS_PROXY and NO_PROXY of the environment",
    )
    proxy_auth: ReferenceField = Field(
        default=None,
        description='reference; the "user:password" that the proxy wants',
        json_schema_extra=_no_default,
    )


class CredentialConfig(Section):
    """`[credentials.NAME]`: how the gateway proves itself; secrets are references.

    A reference is "env:NAME", "file:/path" or "literal:...". Which grant needs and takes which
    keys stands in `grants`.
    """

    grant: Literal[
        "static", "jwt", "refresh_token", "ringcx", "engage_legacy", "passthrough", "none"
    ] = Field(
        default="static",
        description='how a token is had; "passthrough" sends what the caller sent, "none" nothing',
    )
    token: ReferenceField = _secret("the token of static, or of engage_legacy without a login")
    client_id: ReferenceField = _secret("the application, for jwt and refresh_token")
    client_secret: ReferenceField = _secret("its secret; without one it is a public client")
    jwt: ReferenceField = _secret("the JWT that the Developer Console issued")
    refresh_token: ReferenceField = _secret("where the chain of refresh tokens begins")
    username: ReferenceField = _secret("the user of an engage_legacy login")
    password: ReferenceField = _secret("the password of an engage_legacy login")
    stay_logged_in: bool = Field(
        default=False, description="whether an engage_legacy login lives two weeks, not an hour"
    )
    source: str = Field(
        default="", description="the credential whose token ringcx exchanges; that of platform"
    )
    endpoint_id: Annotated[str, AfterValidator(_check_endpoint_id)] = Field(
        default="", description="names this gateway's session at the vendor; made up when empty"
    )
    access_token_ttl: Annotated[int | None, *_seconds(600, 3600)] = Field(
        default=None,
        json_schema_extra=_no_default,
        description="seconds that an access token is asked to live; the vendor's default is 3600",
    )
    refresh_token_ttl: Annotated[int | None, *_seconds(1, 2_592_000)] = Field(
        default=None,
        json_schema_extra=_no_default,
        description="seconds that a refresh token is asked to live; the vendor's is 604800",
    )
    auth_limit: int = Field(
        default=5, ge=1, le=1000, description="token calls that an application may make a window"
    )
    auth_window_s: float = Field(default=60, gt=0, le=3600, description="seconds of that window")
    auth_retry_s: float = Field(
        default=10, gt=0, le=3600, description="seconds between tries when a token call fails"
    )
