"""`[upstreams.NAME]` and `[credentials.NAME]`: where requests go, and as whom.

The tables are filled from `presets` before they are read, so an upstream that lacks an
origin or a credential here is one that has no preset; `agreement` names it.

Rule: a field that may hold a secret is a `Reference`, which cannot print one.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator

from gateway.config.origins import parse_origin
from gateway.config.proxy_url import check_proxy
from gateway.config.secrets import Reference, parse_reference
from gateway.config.section import Section, read_text
from gateway.policy.routes import Origin

# Bare TOML keys that an environment variable can spell, whose names have no "__".
NAME = r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$"
_ROUTE = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")

_ORIGIN = (
    PlainValidator(read_text(parse_origin, Origin), json_schema_input_type=str),
    PlainSerializer(lambda origin: str(origin) if origin.host else "", return_type=str),
)
_REFERENCE = (
    PlainValidator(read_text(parse_reference, Reference), json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
)
OriginField = Annotated[Origin, *_ORIGIN]
ReferenceField = Annotated[Reference | None, *_REFERENCE]

UNSET = Origin("https", "", 443)
_LATER = "reference; not in this version"


def _no_default(schema: dict[str, Any]) -> None:
    """Keep from the JSON Schema a default that means "not given"."""
    schema.pop("default", None)


def _check_route(text: str) -> str:
    if _ROUTE.fullmatch(text) is None:
        raise ValueError(
            f'{text[:80]!a} is not a path prefix; write whole segments, such as "/restapi"'
        )
    return text


def _check_file(text: str) -> str:
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
    credential: str = Field(
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
    ca_file: Annotated[str, AfterValidator(_check_file)] = Field(
        default="",
        description="PEM file of authorities to trust besides the system's; empty for none",
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

    A reference is "env:NAME", "file:/path" or "literal:...".
    """

    grant: Literal[
        "static", "passthrough", "none", "jwt", "refresh_token", "ringcx", "engage_legacy"
    ] = Field(
        default="static",
        description='"static" sends `token`, "passthrough" what the caller sent, "none" nothing; '
        "the others are not in this version",
    )
    token: ReferenceField = Field(
        default=None, description='reference; the token of "static"', json_schema_extra=_no_default
    )
    client_id: ReferenceField = Field(
        default=None, description=_LATER, json_schema_extra=_no_default
    )
    client_secret: ReferenceField = Field(
        default=None, description=_LATER, json_schema_extra=_no_default
    )
    jwt: ReferenceField = Field(default=None, description=_LATER, json_schema_extra=_no_default)
