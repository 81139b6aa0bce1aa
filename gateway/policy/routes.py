"""Where a request goes: an upstream by the longest path prefix, by media template or by name.

Prefixes match whole segments, case-sensitively, on the raw bytes; media templates match
the reading of the path. The path that leaves is the path that came, but for the prefix
`/media`, which only chooses the host.

Rule 1: what no enabled upstream owns is refused.
Rule 2: an absolute-form target chooses its upstream by name, and the path must still match.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from gateway.core.frozen import quick
from gateway.core.message import Request
from gateway.core.override import Tunnel
from gateway.core.target import read_path
from gateway.errors import BadRequest, NoRoute, show
from gateway.policy.callers import Callers
from gateway.policy.catalogue import Catalogue, Operation


class Scheme(Enum):
    """How the credential of an upstream is presented."""

    BEARER = "bearer"
    X_AUTH_TOKEN = "x-auth-token"  # noqa: S105 (a header's name)
    COOKIE = "cookie"
    PASSTHROUGH = "passthrough"
    NONE = "none"

    @property
    def owned(self) -> bool:
        """Tell whether the gateway owns the credential."""
        return self is not PASSTHROUGH and self is not Scheme.NONE


# Before Python 3.12, looking a member up in its class costs as much as a call.
PASSTHROUGH = Scheme.PASSTHROUGH


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an upstream is: `host` as in a URL, IPv6 in brackets; `port` is always given."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> bytes:
        """Return what Host carries: `host[:port]`, the default port of the scheme left out."""
        default = 443 if self.scheme == "https" else 80
        return (self.host if self.port == default else f"{self.host}:{self.port}").encode()

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority.decode()}"


@dataclass(frozen=True, slots=True)
class Upstream:
    """One upstream as requests see it; `credential` is a name in `[credentials]`.

    `cookie_paths` are prefixes of readings below which the token travels as a cookie,
    `cut_parameters` the query parameters of a caller's that do not pass besides `access_token`,
    `guarded_parameters` those that may not be there by another name that it could read as theirs.
    """

    name: str
    origin: Origin
    credential: str
    scheme: Scheme
    prefixes: tuple[bytes, ...] = ()
    tunnel: Tunnel = "off"
    cookie_paths: tuple[bytes, ...] = ()
    cut_parameters: tuple[bytes, ...] = ()
    guarded_parameters: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Routed:
    """A request with its upstream; `path` is what is sent, `reading` what policy compares."""

    request: Request
    upstream: Upstream
    path: bytes = field(repr=False)
    reading: bytes = field(repr=False)
    operation: Operation | None

    @property
    def scheme(self) -> Scheme:
        """Return how the credential is presented with this request."""
        upstream = self.upstream
        if upstream.cookie_paths and upstream.scheme.owned:
            inside = self.reading + b"/"
            if any(inside.startswith(path + b"/") for path in upstream.cookie_paths):
                return Scheme.COOKIE
        return upstream.scheme


_new_routed = quick(Routed)


class Routes:
    """The routing table of one configuration; immutable once built."""

    __slots__ = (
        *("_absent", "_all", "_by_host", "_by_prefix", "_callers", "_catalogue", "_depth"),
        *("_media", "_media_prefixes", "_platform"),
    )

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        catalogue: Catalogue,
        callers: Callers,
        absent: Mapping[bytes, str] | None = None,
    ) -> None:
        """Build the table; prefixes are unique across upstreams (the configuration checks it).

        `absent` are the prefixes of upstreams that are off, with their names.
        """
        self._absent = absent or {}
        self._all = tuple(upstreams.values())
        self._media = upstreams.get("media")
        self._platform = upstreams.get("platform")
        prefixes = self._media.prefixes if self._media is not None else ()
        self._media_prefixes = sorted(prefixes, key=len, reverse=True)
        self._callers = callers
        self._catalogue = catalogue
        owners = [u for u in self._all if u is not self._media]
        self._by_prefix = {prefix: u for u in owners for prefix in u.prefixes}
        self._depth = max((prefix.count(b"/") for prefix in self._by_prefix), default=0)
        self._by_host: dict[bytes, tuple[Upstream, ...]] = {}
        for upstream in self._all:
            host = upstream.origin.host.lower().encode()
            self._by_host[host] = (*self._by_host.get(host, ()), upstream)

    def match(self, request: Request) -> Routed:
        """Return where the request goes, or raise `NoRoute` or `BadRequest`."""
        candidates = self.candidates(request)
        path, asks_media = self._strip_media(request.target.path, candidates)
        owner = self._owner(path)
        if owner is None or (asks_media and owner is not self._platform):
            is_open = candidates is self._all and not asks_media
            hint = self._tell_absent(path) if is_open else ""
            raise NoRoute(f"no enabled upstream owns '{show(request.target.path, 80)}'{hint}")
        reading = read_path(path)
        operation = self._catalogue.find(request.method, reading)
        is_media = asks_media or (operation is not None and operation.media)
        upstream = self._choose(owner, is_media, candidates)
        if upstream is None:
            raise NoRoute(
                f"the upstream that the URL names does not own '{show(request.target.path, 80)}'"
            )
        return _new_routed(request, upstream, path, reading, operation)

    def candidates(self, request: Request) -> tuple[Upstream, ...]:
        """Return the upstreams that the target leaves to choose from, or raise `BadRequest`.

        All of them for a target without an authority or with our own name.
        """
        authority = request.target.authority
        if authority is None or self._callers.is_own(authority, request.listener):
            return self._all
        named = self._by_host.get(authority.host)
        # The ports of http and https: a client with `http_proxy` set means the public service.
        if named is None or authority.port not in (None, 80, 443):
            host = show(authority.host, 80) + (f":{authority.port}" if authority.port else "")
            raise BadRequest(
                f"the URL's host '{host}', asked for '{show(request.target.path, 80)}', "
                "is neither this gateway nor an enabled upstream"
            )
        return named

    def compared_paths(self) -> Iterator[bytes]:
        """Yield every path that the path of a request is compared with here."""
        for upstream in self._all:
            yield from upstream.prefixes
            yield from upstream.cookie_paths
        yield from self._catalogue.templates()

    def _strip_media(self, path: bytes, candidates: tuple[Upstream, ...]) -> tuple[bytes, bool]:
        """Return the path as its upstream serves it, and whether its prefix asks for media."""
        if self._is_among(self._media, candidates):
            for prefix in self._media_prefixes:
                if path.startswith(prefix + b"/"):
                    return path[len(prefix) :], True
        return path, False

    def _owner(self, path: bytes) -> Upstream | None:
        """Return the upstream of the longest prefix that ends at a segment's end."""
        segments = path.split(b"/", self._depth + 1)
        for length in range(min(len(segments), self._depth + 1), 1, -1):
            upstream = self._by_prefix.get(b"/".join(segments[:length]))
            if upstream is not None:
                return upstream
        return None

    def _tell_absent(self, path: bytes) -> str:
        """Return which upstream would own a path if it were on, and how it is switched on."""
        inside = path + b"/"
        prefixes = [prefix for prefix in self._absent if inside.startswith(prefix + b"/")]
        if not prefixes:
            return ""
        name = self._absent[max(prefixes, key=len)]
        return f"; {name} would; it is on when the configuration has [upstreams.{name}]"

    def _choose(
        self, owner: Upstream, is_media: bool, candidates: tuple[Upstream, ...]
    ) -> Upstream | None:
        """Return the owner, or media where the operation or the URL's host asks for it."""
        is_candidate = self._is_among(owner, candidates)
        may_be_media = owner is self._platform and self._is_among(self._media, candidates)
        if may_be_media and (is_media or not is_candidate):
            return self._media
        return owner if is_candidate else None

    def _is_among(self, wanted: Upstream | None, candidates: tuple[Upstream, ...]) -> bool:
        # Compared by identity, because equality looks at every field of each candidate.
        if candidates is self._all:
            return wanted is not None
        return any(upstream is wanted for upstream in candidates)
