"""Heads: `RawHead` as received, `Request` believed, `OutboundHead` sent, `ReplyHead` answered.

`normalize` is the only way from the first to the second, and building a `Request` is the
check: what holds one need not look again. Its order is fixed: size, version, method,
fields, framing, target, query, effective method.

Rule 1: after `normalize` nothing looks at the wire verb but the log and this module.
Rule 2: values hold the caller's bytes, and nobody changes them; what may be a secret has no repr.
Rule 3: this module knows nothing of callers, routes and upstreams.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.core.field_places import Places
from gateway.core.framing import Ambiguous, Framing, frame_request
from gateway.core.frozen import quick
from gateway.core.grammar import TOKEN, VERSION
from gateway.core.headers import Fields, find_flaw, split_list, values_of
from gateway.core.override import resolve
from gateway.core.query import Finding, QueryRules, check_query
from gateway.core.secret import Secret
from gateway.core.section import NOTHING_SAID, Section, Sections, choose_mattering, measure
from gateway.core.target import Authority, Target, parse_target
from gateway.errors import (
    BadRequest,
    BodyTooLarge,
    HeadTooLarge,
    MethodNotAllowed,
    TargetTooLong,
    show,
)

FORWARDED = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
# RFC 9110 section 9.2.2.
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})

ASTERISK = b"*"

# For whoever then sets every field: by its class, making an object costs three times as much.
new_instance = object.__new__

OutboundField: TypeAlias = tuple[bytes, bytes | Secret]


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a request arrived: `port` is None on a Unix socket."""

    port: int | None = None
    loopback: bool = False


@dataclass(frozen=True, slots=True)
class RawHead:
    """A request head as received: nothing in it is believed yet. `version` is `HTTP/1.1`.

    `places` are those of the fields, where they are known and the names are tokens.
    """

    method: bytes
    target: bytes = field(repr=False)
    version: bytes
    fields: Fields = field(repr=False)
    listener: Listener = Listener()
    places: Places | None = field(default=None, repr=False, compare=False)

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of every field named `name` (lower case), in order."""
        if self.places is None:
            return values_of(self.fields, name)
        found = self.places.by_name.get(name)
        return [self.fields[place][1] for place in found] if found else []


new_raw_head = quick(RawHead)

# How the body ends, and what the other fields say.
Said: TypeAlias = tuple[Framing, Section]


@dataclass(frozen=True, slots=True)
class Rules:
    """What `normalize` holds a head against; sizes in bytes."""

    query: QueryRules = field(default_factory=QueryRules)
    tunnel_accept: frozenset[str] = frozenset({"header", "query"})
    max_head_bytes: int = 65536
    max_target_bytes: int = 16384
    max_body_bytes: int = 115343360
    sections: Sections = field(default_factory=Sections, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A believed request; `method` is the effective one, `query` is what will be sent."""

    method: str
    wire_method: str
    target: Target
    query: bytes | None = field(repr=False)
    fields: Fields = field(repr=False)
    framing: Framing
    version: bytes
    host: Authority | None
    listener: Listener
    override: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    expects_continue: bool = False
    section: Section = field(default=NOTHING_SAID, repr=False, compare=False)

    @property
    def tunnelled(self) -> bool:
        """Tell whether the effective method is not the one on the wire."""
        return self.method != self.wire_method


_new_request = quick(Request)


@dataclass(frozen=True, slots=True)
class OutboundHead:
    """The head we send, complete but for the framing and our credential.

    `lines` are those of the fields, where they were rendered before and hold no secret.
    """

    method: bytes
    path: bytes = field(repr=False)
    query: bytes | None = field(repr=False)
    fields: tuple[OutboundField, ...] = field(repr=False)
    lines: bytes = field(default=b"", repr=False, compare=False)

    @property
    def target(self) -> bytes:
        """Return the request-target; may hold a passed-through secret in its query."""
        return self.path if self.query is None else self.path + b"?" + self.query

    def render(self, extra: bytes = b"") -> bytes:
        """Return the bytes for the wire, the lines of `extra` fields last, secrets in clear."""
        fields = self.lines or render_fields(self.fields)
        return b"%b %b HTTP/1.1\r\n%b%b\r\n" % (self.method, self.target, fields, extra)


new_outbound_head = quick(OutboundHead)


@dataclass(slots=True, eq=False)
class ReplyHead:
    """A head received from upstream, with its body's framing; changed by nobody.

    `lines` are its bytes as they came, where they are known, but for the lines of fields that end
    at this hop or say where the body ends, and for the empty line; in pieces. `connection` is what
    Connection lists.
    Not frozen, because making a frozen one costs twice as much, for each reply.
    """

    status: int
    reason: bytes
    version: bytes
    field_values: tuple[bytes, ...] = field(repr=False)
    framing: Framing
    places: Places = field(repr=False)
    connection: bytes
    lines: tuple[bytes, ...] = field(default=(), repr=False)

    def framed(self, framing: Framing) -> ReplyHead:
        """Return the same head of a body that ends otherwise."""
        head = new_instance(ReplyHead)
        head.status, head.reason, head.version = self.status, self.reason, self.version
        head.field_values, head.framing, head.places = self.field_values, framing, self.places
        head.connection, head.lines = self.connection, self.lines
        return head

    @property
    def fields(self) -> Fields:
        """Return the names and values, in order."""
        return tuple(zip(self.places.names, self.field_values, strict=True))

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of every field named `name` (lower case), in order."""
        values = self.field_values
        return [values[place] for place in self.places.by_name.get(name, ())]

    def first(self, name: bytes) -> bytes | None:
        """Return the value of the first field named `name` (lower case), None without one."""
        found = self.places.by_name.get(name)
        return None if found is None else self.field_values[found[0]]

    def members(self, name: bytes) -> tuple[bytes, ...]:
        """Return the members of a list field, lower case, empty ones dropped."""
        return split_list(b",".join(self.values(name))) if name in self.places.by_name else ()


def render_fields(fields: tuple[OutboundField, ...]) -> bytes:
    """Return the lines of fields, secrets in clear."""
    lines = []
    for name, value in fields:
        clear = value.reveal() if isinstance(value, Secret) else value
        lines.append(name + b": " + clear + b"\r\n")
    return b"".join(lines)


def normalize(raw: RawHead, rules: Rules, said: Said | None = None) -> Request:
    """Believe a head, or raise a leaf of `Refused`.

    `said` is what its fields are known to say under these rules; then its size is known, too.
    """
    framing, section = said or _recall(raw, rules) or _read(raw, rules)
    target = read_target(raw)
    query, findings = check_query(target.query, rules.query) if target.query else (target.query, ())
    resolved = resolve(raw.method, query, section.spoken, rules.tunnel_accept)
    return _new_request(
        method=resolved.method.decode(),
        wire_method=raw.method.decode(),
        target=target,
        query=resolved.query,
        fields=raw.fields,
        framing=framing,
        version=raw.version,
        host=section.host,
        listener=raw.listener,
        override=resolved.channels,
        findings=findings,
        expects_continue=section.expects_continue,
        section=section,
    )


def _recall(raw: RawHead, rules: Rules) -> Said | None:
    """Return what is known of the fields, None when the head must be read or refused."""
    if raw.version != b"HTTP/1.1" or raw.method not in FORWARDED:
        return None
    if len(raw.target) > rules.max_target_bytes:
        return None
    known = rules.sections.recall(raw.fields, rules.max_head_bytes - _line_size(raw))
    return None if known is None or known[0].length > rules.max_body_bytes else known


def _read(raw: RawHead, rules: Rules) -> Said:
    _check_size(raw, rules)
    _check_line(raw)
    mattering = choose_mattering(raw.fields)
    framing = _frame(raw, mattering, rules)
    return framing, rules.sections.read(raw.fields, mattering, raw.version, framing)


def _line_size(raw: RawHead) -> int:
    """Return what the request line costs, with its two spaces and CRLF, and the empty line."""
    return len(raw.method) + len(raw.target) + len(raw.version) + 6


def read_target(raw: RawHead) -> Target:
    """Return what a head asks for, or raise `BadRequest`."""
    # RFC 9110 section 9.3.7: OPTIONS of "*" asks about the recipient, not about a resource.
    if raw.target == ASTERISK and raw.method == b"OPTIONS":
        return Target(ASTERISK)
    return parse_target(raw.target)


def _check_size(raw: RawHead, rules: Rules) -> None:
    if len(raw.target) > rules.max_target_bytes:
        raise TargetTooLong(
            f"the request-target has {len(raw.target)} bytes; at most {rules.max_target_bytes}"
        )
    size = _line_size(raw) + measure(raw.fields)
    if size > rules.max_head_bytes:
        raise HeadTooLarge(f"the head has {size} bytes; at most {rules.max_head_bytes}")


def _check_line(raw: RawHead) -> None:
    if VERSION.fullmatch(raw.version) is None:
        raise BadRequest(f"version '{show(raw.version)}' is neither HTTP/1.1 nor HTTP/1.0")
    flaw = find_flaw(raw.fields)
    if flaw is not None:
        raise BadRequest(flaw)
    if raw.method not in FORWARDED:
        if TOKEN.fullmatch(raw.method) is None:
            raise BadRequest("the method is not a token")
        raise MethodNotAllowed(f"{show(raw.method)} is not forwarded")


def _frame(raw: RawHead, mattering: Fields, rules: Rules) -> Framing:
    try:
        framing = frame_request(mattering, raw.version)
    except Ambiguous as error:
        raise BadRequest(str(error)) from None
    if framing.length > rules.max_body_bytes:
        raise BodyTooLarge(
            f"the body has {framing.length} bytes; at most {rules.max_body_bytes} "
            "(limits.max_body_bytes)"
        )
    return framing
