"""The small sections: how the gateway listens, speaks, reads queries and logs.

Each field has the default that works in this version; a value that a later one brings is
not modelled here, and `later` explains it.

Rule: validation of one field stands beside the field; what two fields must agree on
stands in `agreement`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator

from gateway import __version__
from gateway.config.binds import FORMS, Bind, parse_bind
from gateway.config.bounds import Count, Seconds
from gateway.config.origins import parse_public_origin
from gateway.config.section import Section, read_text
from gateway.core.query import Mode, Profile
from gateway.core.target import parse_authority
from gateway.core.useragent import parse_user_agent
from gateway.errors import BadRequest
from gateway.policy.rates import RateMode
from gateway.policy.routes import Origin

_BIND = (
    PlainValidator(read_text(parse_bind, Bind, FORMS), json_schema_input_type=str),
    PlainSerializer(str, return_type=str),
)
BindField = Annotated[Bind, *_BIND]


def _read_public_origin(value: object) -> Origin | None:
    return None if value == "" else read_text(parse_public_origin, Origin)(value)


_PUBLIC_ORIGIN = (
    PlainValidator(_read_public_origin, json_schema_input_type=str),
    PlainSerializer(lambda origin: "" if origin is None else str(origin), return_type=str),
)


AUTO = "auto"
# A few times the CPUs of the largest machines would be of no use.
_MOST_WORKERS = 256


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _check_host(text: str) -> str:
    try:
        parse_authority(text.encode("ascii"))
    except (BadRequest, UnicodeEncodeError):
        raise ValueError(f'{text[:80]!a} is not a name; write "host" or "host:port"') from None
    return text


def _check_product(text: str) -> str:
    parse_user_agent(text)
    return text


class ListenerConfig(Section):
    """`[listener]`: the data port."""

    bind: Annotated[
        tuple[BindField, ...],
        Field(strict=False, min_length=1),
        BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    ] = Field(
        default=(Bind("127.0.0.1", 8080),),
        json_schema_extra={"default": "127.0.0.1:8080"},
        description='"host:port" or "unix:/path", one or a list; port 0 lets the system choose',
    )
    hosts: Annotated[
        tuple[Annotated[str, AfterValidator(_check_host)], ...], Field(strict=False)
    ] = Field(default=(), description='further names that Host may carry: "host" or "host:port"')
    anyone: bool = Field(
        default=False, description="whether a TCP bind may be reachable from other machines"
    )


class OpsConfig(Section):
    """`[ops]`: /livez, /readyz and /metrics, never on the data port."""

    bind: BindField = Field(
        default=Bind("127.0.0.1", 9902),
        json_schema_extra={"default": "127.0.0.1:9902"},
        description='"host:port" or "unix:/path" of the ops listener',
    )
    ready_requires: Annotated[
        tuple[Literal["credentials", "store", "upstreams"], ...], Field(strict=False)
    ] = Field(
        default=(),
        description="what /readyz depends on besides the gateway: a token for each credential, "
        "an answer of the store, a connection to each upstream",
    )


class UserAgentConfig(Section):
    """`[user_agent]`: the one string that the vendor sees."""

    product: Annotated[str, AfterValidator(_check_product)] = Field(
        default=f"rc-gateway/{__version__}",
        description="RFC 1945 product tokens, such as RCMobile/3.6.0",
    )
    comment: str = Field(default="", description='such as "RingCentral; Android/2.6; rev.12345"')


class TunnelConfig(Section):
    """`[tunnel]`: inbound method overrides."""

    accept: Annotated[tuple[Literal["header", "query"], ...], Field(strict=False)] = Field(
        default=("header", "query"),
        description="channels that are read; [] switches un-tunnelling off",
    )


class QueryConfig(Section):
    """`[query]`: what a query string may carry."""

    profile: Annotated[Profile, Field(strict=False)] = Field(
        default=Profile.RINGCENTRAL, description="which bytes may stand unescaped"
    )
    mode: Annotated[Mode, Field(strict=False)] = Field(
        default=Mode.REJECT, description="what is done about a byte that the profile does not allow"
    )
    plus: Annotated[Mode, Field(strict=False)] = Field(
        default=Mode.REPORT,
        description='what is done about a raw "+" in a phone number or UTC offset',
    )


class LinksConfig(Section):
    """`[links]`: absolute upstream URIs in answers."""

    rewrite: Literal["on", "off"] = Field(
        default="on", description="whether they become URIs of this gateway"
    )
    public_origin: Annotated[Origin | None, *_PUBLIC_ORIGIN] = Field(
        default=None,
        json_schema_extra={"default": ""},
        description='"https://host[:port]" where callers reach the gateway; empty to take the '
        "Host of the request, when it is one of ours",
    )


class RatesConfig(Section):
    """`[rates]`: the vendor's rate limits."""

    mode: Annotated[RateMode, Field(strict=False)] = Field(
        default=RateMode.SHIELD, description="what is done about a limit that is reached"
    )
    max_wait_s: Seconds = Field(
        default=30, description='seconds that a request may wait with mode = "queue"'
    )
    max_queue: Count = Field(
        default=100,
        description='requests that may wait at once with mode = "queue", of each worker',
    )


class RetriesConfig(Section):
    """`[retries]`: which answers of an upstream are asked for again, once."""

    on_status: Annotated[tuple[Literal[502, 503, 504], ...], Field(strict=False)] = Field(
        default=(503,), description="answers after which an idempotent request is repeated"
    )


def _read_workers(value: object) -> int | str:
    if value == AUTO or (type(value) is int and 1 <= value <= _MOST_WORKERS):
        return value
    raise ValueError(f'write a whole number from 1 to {_MOST_WORKERS}, or "{AUTO}"')


class EngineConfig(Section):
    """`[engine]`: how requests are carried out; no setting here changes what is sent."""

    fast_lane: bool = Field(
        default=True, description="whether plain requests take the shorter way, at less CPU"
    )
    workers: Annotated[
        int | str,
        PlainValidator(_read_workers, json_schema_input_type=int | Literal["auto"]),
    ] = Field(
        default=1,
        description="processes that serve, each with [limits], circuits and retry budgets of its "
        'own; "auto" for one a CPU',
    )


class LogConfig(Section):
    """`[log]`: one line for each request, on standard output."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least severity that is written"
    )
    format: Literal["json", "console"] = Field(default="json", description="how a line looks")
    requests: Literal["on", "errors", "off"] = Field(
        default="on", description="which requests get a line"
    )
