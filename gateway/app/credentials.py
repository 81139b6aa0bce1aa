"""From `[credentials]` and `[stores]` to objects that have tokens, opened and closed together.

Token calls go to the upstream at which a grant is at home, by the very TLS settings and
timeouts that its requests have. Credentials of one application share one budget.

Rule 1: only credentials that an enabled upstream uses are made.
Rule 2: a credential that is exchanged for another one is made first, and closed last.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway.config.agreement import HOMES
from gateway.config.compile import canonical_user_agent, enabled_credentials
from gateway.config.model import Config, CredentialConfig
from gateway.config.proxies import proxy_of
from gateway.config.secrets import Reference
from gateway.credentials.broker import Broker
from gateway.credentials.endpoint import Budget, Route, TokenEndpoint
from gateway.credentials.events import Events
from gateway.credentials.grants.engage_legacy import EngageLegacyGrant
from gateway.credentials.grants.jwt import JwtGrant
from gateway.credentials.grants.oauth import OAuthApp, Vault, Wishes
from gateway.credentials.grants.refresh import RefreshGrant
from gateway.credentials.grants.ringcx import RingcxGrant
from gateway.credentials.grants.static import StaticCredential
from gateway.credentials.renewal import Grant, Renewal
from gateway.credentials.setbacks import Setbacks
from gateway.credentials.tokens import Credential, Status
from gateway.engine.connect import make_tls
from gateway.stores.store import Store

# A token answer is short; a call that takes longer than this counts as unanswered.
_TOKEN_CALL_S = 15.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials that the gateway owns, by name, and what they keep their tokens in."""

    by_name: Mapping[str, Credential]
    store: Store

    def open(self) -> None:
        """Have stored tokens taken over, and missing ones obtained, in the background."""
        for broker in self._brokers():
            broker.open()

    async def close(self) -> None:
        """Let token calls end, then close the connections and the store."""
        for broker in reversed(self._brokers()):
            await broker.close()
        await self.store.close()

    def statuses(self) -> dict[str, Status]:
        """Return what may be told of each credential."""
        return {name: credential.status() for name, credential in self.by_name.items()}

    def _brokers(self) -> list[Broker]:
        return [broker for broker in self.by_name.values() if isinstance(broker, Broker)]


def make_credentials(
    config: Config, environ: Mapping[str, str], events: Events, store: Store
) -> Credentials:
    """Return the credentials of a configuration; nothing is asked of anybody yet."""
    maker = _Maker(config, environ, events, store)
    made: dict[str, Credential] = {}
    tables = enabled_credentials(config)
    # The exchanged ones come first.
    for name in sorted(tables, key=lambda name: tables[name].grant == "ringcx"):
        credential = maker.make(name, tables[name], made)
        if credential is not None:
            made[name] = credential
    return Credentials(made, store)


class _Maker:
    def __init__(
        self, config: Config, environ: Mapping[str, str], events: Events, store: Store
    ) -> None:
        self._config = config
        self._environ = environ
        self._events = events
        self._store = store

    def make(
        self, name: str, table: CredentialConfig, made: Mapping[str, Credential]
    ) -> Credential | None:
        """Return a credential, None when the caller's passes or none is sent."""
        if table.grant in ("passthrough", "none"):
            return None
        if table.token is not None:
            return StaticCredential(name, table.token, self._environ, self._events)
        key, grant = self._grant(name, table, made)
        return Broker(
            name,
            table.grant,
            Renewal(key, grant, self._store, time.time),
            # What RingCX rejects is another credential's token, which changes by itself.
            Setbacks(table.auth_retry_s, table.auth_window_s, final=table.grant != "ringcx"),
            self._events,
            # One call of the window is left for a renewal that is due.
            reissues=max(table.auth_limit - 1, 1),
            window_s=table.auth_window_s,
        )

    def _grant(
        self, name: str, table: CredentialConfig, made: Mapping[str, Credential]
    ) -> tuple[str, Grant]:
        """Return a grant, and the key under which the store has its tokens."""
        vault = Vault(_references(table), self._environ)
        application = vault.fingerprint("client_id", "username") + table.source
        home = HOMES[table.grant]
        origin = str(self._config.upstreams[home].origin)
        identity = _fingerprint(origin, table.grant, application)
        endpoint = TokenEndpoint(
            self._route(home),
            # The vendor counts by application, whatever the grant.
            Budget(
                f"auth:{_fingerprint(origin, application)}", table.auth_limit, table.auth_window_s
            ),
            self._store,
        )
        key = f"token:{name}:{identity}"
        match table.grant:
            case "ringcx":
                return key, RingcxGrant(endpoint, made[table.source], table.source, time.time)
            case "engage_legacy":
                stay = table.stay_logged_in
                return key, EngageLegacyGrant(endpoint, vault, time.time, stay_logged_in=stay)
            case _:
                wishes = Wishes(
                    table.endpoint_id or f"rc-gateway-{_fingerprint(key)}",
                    table.access_token_ttl,
                    table.refresh_token_ttl,
                )
                app = OAuthApp(endpoint, vault, wishes, time.time)
                return key, JwtGrant(app) if table.grant == "jwt" else RefreshGrant(app)

    def _route(self, home: str) -> Route:
        upstream, timeouts = self._config.upstreams[home], self._config.timeouts
        ca_file = Path(upstream.ca_file) if upstream.ca_file else None
        return Route(
            upstream.origin,
            canonical_user_agent(self._config),
            make_tls(ca_file) if upstream.origin.scheme == "https" else None,
            connect_timeout_s=timeouts.connect_s,
            timeout_s=min(timeouts.first_byte_s, _TOKEN_CALL_S),
            find_proxy=partial(proxy_of, upstream.origin, upstream, self._environ),
        )


def _references(table: CredentialConfig) -> dict[str, Reference]:
    return {key: value for key, value in table if isinstance(value, Reference)}


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
