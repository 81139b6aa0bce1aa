"""Which links lead through this gateway, and the origin that we write in them.

An upstream's URI can be followed here when its path is a route of that upstream, so the
maps are made from the routing table. Media URIs come back below the media prefix, which
chooses the host again when they are asked for.

A program that has us as its HTTP proxy asks for `http://` URLs of the upstreams themselves.
Its links get that scheme, with the host that they have: so it sends them to its proxy, too.

Rule 1: what we write is `links.public_origin`, or else the Host of the request when it is
        one of ours, or an upstream's; a name that anybody could have sent is never repeated.
Rule 2: what was rewritten is restored to the same URI.
Rule 3: a URI that would come back to another upstream, or to none, stays.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from gateway.core.links import LinkMap, Links, MakeSubstitute, Source
from gateway.core.memo import Memo
from gateway.core.message import Listener, Request
from gateway.core.section import Section
from gateway.core.target import Authority
from gateway.policy.callers import Callers, is_loopback
from gateway.policy.routes import Origin, Upstream

K = TypeVar("K", bound=Hashable)

# Names under which one gateway is called; what is made of one is kept.
_MOST_NAMES = 64


@dataclass(frozen=True, slots=True)
class _Served:
    """Paths of an upstream as they are called here: behind `strip`, except for those in `but`."""

    origin: Origin
    paths: tuple[bytes, ...]
    but: tuple[bytes, ...]
    strip: bytes
    alone: bool


class LinkRules:
    """The links of one configuration; immutable once built."""

    __slots__ = (
        *("_accelerate", "_callers", "_found", "_inward", "_known", "_outward"),
        *("_public", "_served", "_shown"),
    )

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        callers: Callers,
        public: Origin | None = None,
        accelerate: MakeSubstitute | None = None,
    ) -> None:
        """Build the map of the upstreams' URIs; `public` is where callers reach the gateway.

        `accelerate` makes what does the replacing in JSON, if there is something faster.
        """
        self._accelerate = accelerate
        self._callers = callers
        self._public = public
        self._served = tuple(_serve(upstreams))
        self._shown = tuple(_without_covered(self._served))
        self._found = LinkMap(_source(served.origin, served, b"") for served in self._shown)
        self._outward: dict[Origin | None, Links] = {}
        self._inward: dict[tuple[tuple[Origin, ...], bool], Links] = {}
        self._known: Memo[tuple[Section, Listener, bytes], tuple[Links | None, Links | None]]
        # No more than there are names: each holds the links of one.
        self._known = Memo(_MOST_NAMES)

    def origin_for(self, request: Request) -> Origin | None:
        """Return what is written in the answer to a request in place of an upstream's origin.

        None when there is no name of ours to write.
        """
        return self._public or self._asked(request)

    def is_proxied(self, request: Request) -> bool:
        """Tell whether the caller takes us for its proxy, and asks for `http://` of an upstream.

        One who asks a proxy for `https://` sends it the links as they are.
        """
        target = request.target
        if target.authority is None or self._callers.is_own(target.authority, request.listener):
            return False
        return target.prefix[:5].lower() == b"http:"

    def outward(self, request: Request) -> Links | None:
        """Return what the answer to a request says, None when its links stay."""
        origin = self.origin_for(request)
        if origin is None and not self.is_proxied(request):
            return None
        return _remember(self._outward, origin, self._name)

    def inward(self, request: Request) -> Links | None:
        """Return what is restored in a request's body, None when nothing can have been written."""
        names = tuple(name for name in (self._public, self._asked(request)) if name is not None)
        key = names, self.is_proxied(request)
        return _remember(self._inward, key, self._restore) if any(key) else None

    def of(self, request: Request) -> tuple[Links | None, Links | None]:
        """Return what `outward` and `inward` do, remembered for fields that may come again."""
        section = request.section
        if not section.is_kept:
            return self.outward(request), self.inward(request)
        key = (section, request.listener, request.target.prefix)
        found = self._known.get(key)
        if found is None:
            found = self.outward(request), self.inward(request)
            self._known.put(key, found, section.size + len(request.target.prefix))
        return found

    def _name(self, origin: Origin | None) -> Links:
        """Return the links to an origin of ours, to upstreams by a proxy that is us for None."""
        if origin is None:
            return self._links(self._found, tuple(map(self._as_proxied, self._shown)))
        here = str(origin).encode()
        return self._links(self._found, tuple(here + served.strip for served in self._shown))

    def _restore(self, key: tuple[tuple[Origin, ...], bool]) -> Links:
        names, is_proxied = key
        pairs = [(_source(name, each, each.strip), each) for name in names for each in self._served]
        if is_proxied:
            proxied = (each for each in self._shown if self._is_proxied_host(each.origin))
            pairs += [(_source(_in_clear(each.origin), each, b""), each) for each in proxied]
        return self._links(
            LinkMap(source for source, _ in pairs),
            tuple(str(served.origin).encode() for _, served in pairs),
        )

    def _as_proxied(self, served: _Served) -> bytes:
        origin = served.origin
        return str(_in_clear(origin) if self._is_proxied_host(origin) else origin).encode()

    def _is_proxied_host(self, origin: Origin) -> bool:
        """Tell whether `http://` and an upstream's host reach it by a proxy that is us."""
        # What is in clear already is loopback, which programs reach without their proxy; a name
        # of our own would be read as ours.
        host = origin.host.lower().encode()
        return not is_loopback(host) and Authority(host) not in self._callers.hosts

    def _links(self, found: LinkMap, written: tuple[bytes, ...]) -> Links:
        make = self._accelerate
        return Links(found, written, make(found.machine_pattern, written) if make else None)

    def _asked(self, request: Request) -> Origin | None:
        """Return the origin of this gateway by the name that the caller used."""
        # RFC 9112 section 3.2.2: a proxy ignores the Host beside a URL.
        host = request.target.authority or request.host
        if host is None or not self._callers.is_own(host, request.listener):
            return None
        # The data port speaks no TLS; who has put it behind some says so in `public_origin`.
        return Origin("http", host.host.decode(), host.port or 80)


def _remember(memo: dict[K, Links], key: K, make: Callable[[K], Links]) -> Links:
    """Return what is made of a key, made once while there is room."""
    found = memo.get(key)
    if found is None:
        if len(memo) >= _MOST_NAMES:
            memo.clear()
        memo[key] = found = make(key)
    return found


def _in_clear(origin: Origin) -> Origin:
    """Return the URL's origin by which a proxy is asked for an upstream."""
    return Origin("http", origin.host, 80)


def _source(origin: Origin, served: _Served, strip: bytes) -> Source:
    return Source(
        origin.scheme, origin.host, origin.port, served.paths, served.but, strip, served.alone
    )


def _serve(upstreams: Mapping[str, Upstream]) -> Iterator[_Served]:
    """Yield what `Routes.match` would send to each upstream, first what needs no prefix."""
    platform, media = upstreams.get("platform"), upstreams.get("media")
    for upstream in upstreams.values():
        if upstream is not media:
            but = _belonging_to_others(upstream, upstreams)
            alone = upstream is platform
            yield _Served(upstream.origin, upstream.prefixes, but, b"", alone)
    if platform is not None and media is not None:
        but = _belonging_to_others(platform, upstreams)
        for prefix in media.prefixes:
            yield _Served(media.origin, platform.prefixes, but, prefix, alone=False)


def _without_covered(listed: tuple[_Served, ...]) -> Iterator[_Served]:
    """Yield all but those whose URIs an earlier one of the same origin finds."""
    for place, served in enumerate(listed):
        found = replace(served, strip=b"")
        if found not in [replace(other, strip=b"", alone=False) for other in listed[:place]]:
            yield served


def _belonging_to_others(
    upstream: Upstream, upstreams: Mapping[str, Upstream]
) -> tuple[bytes, ...]:
    """Return the prefixes of others that lie below one of this upstream."""
    below = tuple(prefix + b"/" for prefix in upstream.prefixes)
    others = (other for other in upstreams.values() if other is not upstream)
    return tuple(
        prefix for other in others for prefix in other.prefixes if prefix.startswith(below)
    )
