"""How the simulator reads a request: its own few lines, so that they can disagree.

The gateway has parsers of its own. Sharing them would make this simulator an echo, so it
works from the raw target and the raw header pairs and comes to its own verdict.

Documented by the vendor: POST with `X-HTTP-Method-Override` or with `_method` in the query
acts as PUT, PATCH or DELETE, and two different values are a 400. Inferred: values count in
any letter case, an empty value counts as absent, an override equal to the wire method is
a no-op, and every other override on any other method is a 400. Engage (`/voice`, `/api`,
`/1.0`) documents no override, so there the method is the one on the wire: a tunnel that
was not undone does what POST does.

In a query `+` is a blank and names are compared decoded. In a path it is only itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from gateway.simulator.faults import Fault

Pairs = tuple[tuple[str, str], ...]
RawPairs = tuple[tuple[bytes, bytes], ...]

TUNNELLED = frozenset({"PUT", "PATCH", "DELETE"})
_WITHOUT_OVERRIDE = frozenset({"voice", "api", "1.0"})


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as it arrived; `body` may be cut, `body_length` never lies.

    `is_local` says that it came from loopback.
    """

    method: str
    target: str
    headers: RawPairs = ()
    body: bytes = b""
    body_length: int = 0
    body_sha256: str = ""
    is_local: bool = False

    def fields(self, name: str) -> list[str]:
        """List the values of a header, in order; names compare in any letter case."""
        wanted = name.lower().encode("ascii")
        return [value.decode("latin-1") for key, value in self.headers if key.lower() == wanted]


@dataclass(frozen=True, slots=True)
class Reading:
    """A request as the simulator understands it."""

    method: str
    origin: str
    segments: tuple[str, ...]
    query: Pairs
    wire: Wire


def parse_wire(wire: Wire, own_origin: str) -> Reading:
    """Read a request; `own_origin` serves when it names no host. Raises Fault."""
    origin, path, query = _split(wire, own_origin)
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    segments = tuple(unquote(segment) for segment in path.split("/")[1:])
    deaf = bool(segments) and segments[0] in _WITHOUT_OVERRIDE
    method = wire.method if deaf else _effective_method(wire, pairs)
    return Reading(method, origin, segments, pairs, wire)


def _split(wire: Wire, own_origin: str) -> tuple[str, str, str]:
    hosts = wire.fields("Host")
    origin = f"http://{hosts[0]}" if hosts and hosts[0] else own_origin
    path, _, query = wire.target.partition("?")
    scheme, mark, rest = path.partition("://")
    if mark and not path.startswith("/"):
        authority, slash, tail = rest.partition("/")
        return f"{scheme}://{authority}", slash + tail, query
    return origin, path, query


def _overrides(wire: Wire, pairs: Pairs) -> Iterator[str]:
    yield from wire.fields("X-HTTP-Method-Override")
    yield from (value for name, value in pairs if name == "_method")


def _effective_method(wire: Wire, pairs: Pairs) -> str:
    values = {value.strip().upper() for value in _overrides(wire, pairs)} - {""}
    if len(values) > 1:
        named = " and ".join(sorted(values))
        raise _refused_override(f"the request asks for {named} at once")
    wanted = values.pop() if values else wire.method
    if wanted == wire.method:
        return wanted
    if wire.method != "POST" or wanted not in TUNNELLED:
        raise _refused_override(f"{wire.method} cannot act as {wanted}")
    return wanted


def _refused_override(hint: str) -> Fault:
    message = f"Parameter [_method] value is invalid: {hint}"
    return Fault(400, "CMN-101", message, parameter="_method")
