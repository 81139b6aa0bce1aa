"""Which bucket a request is charged to: whose credential, and which group of the vendor's.

The group is the catalogue's, by the effective method, until an answer names another one;
then it is what the answer said. A path that no catalogue has is known by its shape, in
which every segment with a digit is the same. Where a service documents windows instead
of groups, the family of the path is the group.

Rule 1: a caller's own token is known by a keyed hash only, which nothing leads back from.
Rule 2: the names of groups are compared in lower case, and none is known beforehand.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field

from gateway.core.headers import values_of
from gateway.core.query import find_pairs
from gateway.policy.forward import ACCESS_TOKEN
from gateway.policy.permits import Permitted
from gateway.policy.rate_windows import Window, find_family
from gateway.policy.recent import Recent
from gateway.policy.routes import PASSTHROUGH, Routed

# Eight times the operations that the vendor documents.
_MOST_LEARNED = 4096
_NUMBERED = re.compile(rb"[^/]*[0-9][^/]*")
_CREDENTIALS = (b"authorization", b"x-auth-token")


@dataclass(frozen=True, slots=True)
class RateKey:
    """What a request is charged to; `group` is empty while nothing tells it.

    `credential` is a configured name, with a keyed hash of the caller's token when that
    passes through; `windows` are those documented for the family that `group` names.
    """

    upstream: str
    credential: str
    group: str
    operation: str = field(repr=False)
    windows: tuple[Window, ...] = ()
    # What is counted together: the line of whoever waits, too.
    bucket: tuple[str, str] = field(init=False, repr=False, compare=False)
    # What is shut together by an answer that speaks of no group.
    door: tuple[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Name the bucket and the door."""
        object.__setattr__(self, "bucket", (self.credential, self.group))
        object.__setattr__(self, "door", (self.credential, self.upstream))


def charged_key(key: RateKey, group: str) -> RateKey:
    """Return the key that the vendor charged: `group` is what its answer named, if it did."""
    if not group or group == key.group or key.windows:
        return key
    return RateKey(key.upstream, key.credential, group, key.operation)


class Fare:
    """The key of requests that are charged alike, once looked up, and of which edition it is."""

    __slots__ = ("edition", "key", "permitted")

    def __init__(self, permitted: Permitted) -> None:
        """Look nothing up yet; `permitted` is one of the requests."""
        self.permitted = permitted
        self.edition: object = None
        self.key = _NO_KEY


_NO_KEY = RateKey("", "", "", "")


class RateGroups:
    """Makes keys, and learns the groups of operations.

    `edition` is another object whenever a key that was made before may be another one now.
    """

    __slots__ = ("_keys", "_learned", "_secret", "edition")

    def __init__(self, secret: bytes) -> None:
        """Know nothing yet; `secret` keys the hash, and those who share a store share it."""
        self._secret = secret
        self._learned: Recent[str, str] = Recent(_MOST_LEARNED)
        # Of known operations; as many as there are upstreams times operations.
        self._keys: dict[tuple[str, str, str, str], RateKey] = {}
        self.edition = object()

    def key_of(self, permitted: Permitted) -> RateKey:
        """Return what a permitted request is charged to."""
        routed = permitted.routed
        upstream, operation = routed.upstream, routed.operation
        if operation is None or upstream.scheme is PASSTHROUGH:
            return self._make(routed)
        # Another configuration may give the upstream another credential.
        place = (upstream.name, upstream.credential, operation.method, operation.template)
        key = self._keys.get(place)
        if key is None:
            key = self._keys[place] = self._make(routed)
        return key

    def look_up(self, fare: Fare) -> RateKey:
        """Return what `key_of` does, and keep it in the fare."""
        fare.edition, fare.key = self.edition, self.key_of(fare.permitted)
        return fare.key

    def learn(self, key: RateKey, group: str) -> None:
        """Charge the operation of a key to another group from now on."""
        self._learned.put(key.operation, group)
        self._keys.clear()
        self.edition = object()

    def _make(self, routed: Routed) -> RateKey:
        upstream, credential = routed.upstream.name, self._credential(routed)
        found = find_family(upstream, routed.reading)
        if found is not None:
            family, scope = found
            return RateKey(upstream, credential, family.group_in(scope), "", family.windows)
        operation, known = _operation(routed)
        return RateKey(upstream, credential, self._learned.get(operation) or known, operation)

    def _credential(self, routed: Routed) -> str:
        name = routed.upstream.credential
        if routed.upstream.scheme is not PASSTHROUGH:
            return name
        token = _token(routed)
        return f"{name}:{hmac.digest(self._secret, token, 'sha256').hex()[:32]}"


def _operation(routed: Routed) -> tuple[str, str]:
    """Return a name for the operation and the catalogue's group, lower case, or nothing."""
    operation = routed.operation
    if operation is not None:
        return f"{operation.method} {operation.template}", operation.group.lower()
    shape = _NUMBERED.sub(b"*", routed.reading)[:200].decode("ascii", "backslashreplace")
    return f"{routed.request.method} {routed.upstream.name} {shape}", ""


def _token(routed: Routed) -> bytes:
    """Return the caller's token, wherever it stands; nothing when there is none."""
    for name in _CREDENTIALS:
        for value in values_of(routed.request.fields, name):
            # The same token is the same user, whichever way its scheme is spelled.
            return value.rpartition(b" ")[2]
    return b"".join(find_pairs(routed.request.query, ACCESS_TOKEN)[:1])
