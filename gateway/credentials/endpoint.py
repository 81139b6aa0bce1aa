"""The vendor's token endpoints: one form posted, one document read.

Calls go the way that the upstream's requests go, with the same canonical User-Agent. Each
is charged to the budget of its application before it leaves, and what a caller of this
module gets is a document, or `TokenCallFailed` with how it failed.

Rule 1: foreign exceptions end here, and no text of theirs goes on: it may hold the form.
Rule 2: a call is made once; whether it is repeated is the credential's decision.
Rule 3: nothing is followed, stored or decoded that a token answer does not need; what one
        means, `answers` says.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote_plus

import aiohttp
from yarl import URL

from gateway.config.proxies import ProxyRoute
from gateway.config.secrets import Unresolved
from gateway.core.secret import Secret
from gateway.credentials.answers import MAX_ANSWER_BYTES, judge, read_object
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.credentials.unreached import failure_of
from gateway.policy.routes import Origin
from gateway.stores.store import Bar, Receipt, Store, StoreDown

Form: TypeAlias = Mapping[str, str | Secret]

# No longer one is believed: then the vendor is asked again.
_LONGEST_PENALTY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `limit` token calls in any `window_s` seconds, for everybody with this `key`."""

    key: str
    limit: int
    window_s: float


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a token endpoint: what the upstream's requests use too; timeouts in seconds."""

    origin: Origin
    user_agent: bytes
    tls: ssl.SSLContext | None = None
    connect_timeout_s: float = 5.0
    timeout_s: float = 15.0
    find_proxy: Callable[[], ProxyRoute | None] = lambda: None


class TokenEndpoint:
    """Posts forms to one origin."""

    def __init__(self, route: Route, budget: Budget, store: Store) -> None:
        self._route = route
        self.budget = budget
        self._store = store
        self._session: aiohttp.ClientSession | None = None
        # This process's calls, for when the store cannot be asked.
        self._spent: deque[float] = deque(maxlen=budget.limit)

    @property
    def origin(self) -> str:
        """Return where calls go."""
        return str(self._route.origin)

    async def post(
        self,
        path: str,
        form: Form,
        *,
        basic: tuple[Secret, Secret] | None = None,
    ) -> dict[str, Any]:
        """Post a form with optional Basic credentials; return the JSON object of a 2xx answer.

        Raises `TokenCallFailed`.
        """
        await self._charge()
        proxy = None
        try:
            proxy = self._route.find_proxy()
            status, fields, body = await self._send(path, form, basic, proxy)
        except (aiohttp.ClientError, OSError, UnicodeError, Unresolved) as error:
            raise failure_of(error, self._route.origin, proxy) from None
        if 200 <= status < 300:
            return self._read(body)
        failure = judge(self.origin, status, fields, body)
        if failure.outcome is Outcome.THROTTLED:
            await self._tell(failure.retry_after_s or self.budget.window_s)
        raise failure

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _charge(self) -> None:
        """Spend one call of the budget, or raise `TokenCallFailed` with the exact wait."""
        budget, now = self.budget, asyncio.get_running_loop().time()
        key, limit, window_s = budget.key, budget.limit, budget.window_s
        try:
            bar: Bar | Receipt | None = await self._store.enter((key,), key, limit, window_s)
            if isinstance(bar, Receipt):
                self._spent.append(now)
        except StoreDown:
            bar = self._charge_alone(now)
        if not isinstance(bar, Bar):
            return
        outcome = Outcome.THROTTLED if bar.door else Outcome.BUDGET
        reason = f"{limit} token calls were made within {window_s:g} s"
        if bar.door:
            reason = "the vendor told another gateway to wait"
        raise TokenCallFailed(outcome, reason, retry_after_s=bar.wait_s)

    def _charge_alone(self, now: float) -> Bar | None:
        budget, spent = self.budget, self._spent
        while spent and spent[0] <= now - budget.window_s:
            spent.popleft()
        if len(spent) >= budget.limit:
            return Bar("", spent[-budget.limit] + budget.window_s - now)
        spent.append(now)
        return None

    async def _tell(self, wait_s: float) -> None:
        """Have nobody call during a penalty, which each call would begin anew."""
        with suppress(StoreDown):
            await self._store.shut(self.budget.key, min(wait_s, _LONGEST_PENALTY_S))

    async def _send(
        self,
        path: str,
        form: Form,
        basic: tuple[Secret, Secret] | None,
        proxy: ProxyRoute | None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        route = self._route
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            **({} if basic is None else {"Authorization": render_basic(*basic)}),
        }
        async with self._open().post(
            self._url(path),
            data=render_form(form),
            headers=headers,
            allow_redirects=False,
            ssl=route.tls if route.tls is not None else True,
            proxy=None if proxy is None else f"http://{proxy.host}:{proxy.port}",
            proxy_headers=_proxy_headers(proxy),
        ) as answer:
            body = await answer.content.read(MAX_ANSWER_BYTES + 1)
            while len(body) <= MAX_ANSWER_BYTES and (more := await answer.content.readany()):
                body += more
            return answer.status, answer.headers, body

    def _url(self, path: str) -> URL:
        origin = self._route.origin
        path, _, query = path.partition("?")
        return URL.build(
            scheme=origin.scheme,
            host=origin.host,
            port=origin.port,
            path=path,
            query_string=query,
            encoded=True,
        )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            route = self._route
            agent = route.user_agent.decode("ascii")
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    # Calls are minutes apart, and a POST on a stale connection is lost.
                    force_close=True,
                    resolver=aiohttp.ThreadedResolver(),
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": agent, "X-User-Agent": agent},
                timeout=aiohttp.ClientTimeout(
                    total=route.timeout_s, sock_connect=route.connect_timeout_s
                ),
                trust_env=False,
            )
        return self._session

    def _read(self, body: bytes) -> dict[str, Any]:
        document = read_object(body)
        if document is None:
            raise TokenCallFailed(Outcome.ERROR, f"{self.origin} answered no JSON object")
        return document


def render_form(form: Form) -> bytes:
    """Return a form as it is sent, secrets in clear."""
    pairs = (
        quote_plus(name) + "=" + quote_plus(value.reveal() if isinstance(value, Secret) else value)
        for name, value in form.items()
    )
    return "&".join(pairs).encode("ascii")


def render_basic(name: Secret, password: Secret) -> str:
    """Return Basic credentials, as the vendor reads them: neither part is form-encoded first."""
    return "Basic " + b64encode(name.reveal() + b":" + password.reveal()).decode("ascii")


def _proxy_headers(proxy: ProxyRoute | None) -> dict[str, str] | None:
    if proxy is None or proxy.auth is None:
        return None
    return {"Proxy-Authorization": "Basic " + b64encode(proxy.auth.reveal()).decode("ascii")}
