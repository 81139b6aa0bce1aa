"""Method tunnelling: what an inbound override means, and how an outbound verb is disguised.

The vendor's rule: only POST carries an override, in `X-HTTP-Method-Override` or in the
query as `_method`; both present and different is 400. Around it stand the cases that
the vendor leaves open, each decided here so that an override is never silently lost:
on some paths the POST left behind would create or send something.

Rule 1: the result is the effective method, settled before anything else looks at it.
Rule 2: the override never goes upstream, and only its own pair leaves the query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.core.frozen import quick
from gateway.core.headers import Fields, members_of
from gateway.core.query import cut_pairs, find_pairs
from gateway.errors import BadOverride, MethodConflict, show

# How PUT, PATCH and DELETE leave: as they are, or as POST with the verb in that channel.
Tunnel: TypeAlias = Literal["off", "header", "query"]

HEADER = b"X-HTTP-Method-Override"
PARAMETER = b"_method"
TUNNELLED = frozenset({b"PUT", b"PATCH", b"DELETE"})
_VERBS = TUNNELLED | {b"GET", b"HEAD", b"POST", b"OPTIONS", b"TRACE", b"CONNECT"}
_FOLDED = HEADER.lower()
# Microsoft's and older stacks' names: the vendor does not know them, so they never act.
FOREIGN = (b"x-http-method", b"x-method-override")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the fields say of an override: its values, upper case, and a name that never acts."""

    values: tuple[bytes, ...] = ()
    foreign: bytes | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """The effective method, the query without `_method`, and the channels that spoke."""

    method: bytes
    query: bytes | None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disguised:
    """What a tunnelled verb looks like on the wire; `fields` are appended to the head."""

    method: bytes
    query: bytes | None
    fields: Fields = ()


_new_resolved, _new_disguised = quick(Resolved), quick(Disguised)


def read_override(fields: Fields) -> Spoken:
    """Return what the fields say, before it is known what it means."""
    values = tuple(member.upper() for member in members_of(fields, _FOLDED))
    foreign = (
        name
        for name, value in fields
        if name.lower() in FOREIGN and value.upper() not in (b"", b"POST")
    )
    return Spoken(values, next(foreign, None))


def resolve(method: bytes, query: bytes | None, spoken: Spoken, accept: frozenset[str]) -> Resolved:
    """Settle the effective method, or raise `MethodConflict` or `BadOverride`."""
    if method == b"POST" and spoken.foreign is not None:
        raise BadOverride(
            f"{show(spoken.foreign)} does not act here; send X-HTTP-Method-Override instead"
        )
    headers = spoken.values
    if query is None and not headers:
        return _new_resolved(method, query)
    values = find_pairs(query, PARAMETER)
    parameters = tuple(member.upper() for value in values for member in value.split(b",") if member)
    verb = _one_of(headers, parameters)
    channels = (("header",) if headers else ()) + (("query",) if parameters else ())
    query = cut_pairs(query, PARAMETER)
    if verb is None or verb == method:
        return _new_resolved(method, query, channels)
    _refuse_unless_tunnelled(method, verb, channels, accept)
    return _new_resolved(verb, query, channels)


def disguise(method: bytes, query: bytes | None, tunnel: Tunnel) -> Disguised:
    """Return how `method` leaves on a path that passes only GET and POST.

    HEAD leaves as GET; whoever sends it drops the body of the reply.
    """
    if tunnel == "off":
        return _new_disguised(method, query)
    if method == b"HEAD":
        return Disguised(b"GET", query)
    if method not in TUNNELLED:
        return Disguised(method, query)
    if tunnel == "header":
        return Disguised(b"POST", query, ((HEADER, method),))
    pair = PARAMETER + b"=" + method
    return Disguised(b"POST", query + b"&" + pair if query else pair)


def _one_of(headers: tuple[bytes, ...], parameters: tuple[bytes, ...]) -> bytes | None:
    if len(headers) + len(parameters) == 1:
        return headers[0] if headers else parameters[0]
    if len(set(headers)) > 1:
        raise MethodConflict(
            f"X-HTTP-Method-Override is repeated with different values: {_show(headers)}"
        )
    if len(set(parameters)) > 1:
        raise MethodConflict(
            f"_method is repeated with different values: {_show(parameters)}", parameter="_method"
        )
    if headers and parameters and headers[0] != parameters[0]:
        raise MethodConflict(
            f"X-HTTP-Method-Override is {_show(headers)} but _method is {_show(parameters)}",
            parameter="_method",
        )
    return next(iter(headers + parameters), None)


def _refuse_unless_tunnelled(
    method: bytes, verb: bytes, channels: tuple[str, ...], accept: frozenset[str]
) -> None:
    parameter = "_method" if "query" in channels else None
    if method != b"POST":
        raise BadOverride(
            f"{method.decode()} cannot carry an override to {_show((verb,))}; only POST can",
            parameter=parameter,
        )
    if verb not in TUNNELLED:
        raise BadOverride(
            f"{_show((verb,))} cannot be tunnelled; PUT, PATCH and DELETE can", parameter=parameter
        )
    # An override that is not accepted here must not reach an upstream that would obey it.
    if not accept.intersection(channels):
        raise BadOverride(
            f"overrides by {' and '.join(channels)} are switched off (tunnel.accept)",
            parameter=parameter,
        )


def _show(values: tuple[bytes, ...]) -> str:
    """Return the verbs; what is none may be anything, a secret too, and is not repeated."""
    named = (value.decode() if value in _VERBS else "an unknown verb" for value in values)
    return ", ".join(dict.fromkeys(named))
