"""From `[credentials]` and `[stores]` to objects that have tokens, opened and closed together.

Token calls go to the upstream at which a grant is at home, by the very TLS settings and
timeouts that its requests have. Credentials of one application share one budget.

Rule 1: only credentials that an enabled upstream uses are made.
Rule 2: a credential that is exchanged for another one is made first, and closed last.
Rule 3: at a reload one that would be made of the same is kept, and its token with it.
Rule 4: so is one that would carry on the same chain by other means, which it is given when
        it is opened: two that have the same pair would spend it twice, or lose it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gateway.app.ingredients import Ingredients, connection_of
from gateway.config.agreement import HOMES
from gateway.config.compile import canonical_user_agent, enabled_credentials
from gateway.config.model import Config, CredentialConfig
from gateway.config.proxies import proxy_of
from gateway.config.secrets import Reference
from gateway.credentials.broker import Broker
from gateway.credentials.endpoint import Budget, Route, TokenEndpoint
from gateway.credentials.events import Events
from gateway.credentials.grant import Grant
from gateway.credentials.grants.engage_legacy import EngageLegacyGrant
from gateway.credentials.grants.jwt import JwtGrant
from gateway.credentials.grants.oauth import OAuthApp, Vault, Wishes
from gateway.credentials.grants.refresh import RefreshGrant
from gateway.credentials.grants.ringcx import RingcxGrant
from gateway.credentials.grants.static import StaticCredential
from gateway.credentials.means import Means
from gateway.credentials.renewal import Renewal
from gateway.credentials.setbacks import Setbacks
from gateway.credentials.tokens import Credential, Status
from gateway.engine.tls import TlsContexts
from gateway.stores.store import Store

# A token answer is short; a call that takes longer than this counts as unanswered.
_TOKEN_CALL_S = 15.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials that the gateway owns, by name, and what they keep their tokens in."""

    by_name: Mapping[str, Credential]
    store: Store
    made_of: Mapping[str, Ingredients] = field(default_factory=dict, repr=False)
    # By name, for those that make token calls: a digest that tells one application from another.
    identities: Mapping[str, str] = field(default_factory=dict, repr=False)
    # By name, for those that were there before and have their tokens otherwise from now on.
    means: Mapping[str, Means] = field(default_factory=dict, repr=False)

    def open(self, before: Credentials | None = None) -> None:
        """Have stored tokens taken over, and missing ones obtained, in the background.

        Those of `before` are open already.
        """
        for broker in self._brokers(before):
            broker.open()
        for name, means in self.means.items():
            if isinstance(known := self.by_name[name], Broker):
                known.change(means)

    async def retire(self, after: Credentials) -> None:
        """Let token calls end, then close the connections, but for what `after` has kept."""
        for broker in reversed(self._brokers(after)):
            await broker.close()

    async def close(self) -> None:
        """Let token calls end, then close the connections and the store."""
        for broker in reversed(self._brokers()):
            await broker.close()
        await self.store.close()

    def new_since(self, before: Credentials) -> list[str]:
        """Return the names of the credentials that are not as those of `before`."""
        kept = before.by_name
        return [
            name
            for name, one in self.by_name.items()
            if kept.get(name) is not one or name in self.means
        ]

    def kept_one(self, name: str, ingredients: Ingredients) -> Credential | None:
        """Return a credential if it is made of the same."""
        return self.by_name.get(name) if self.made_of.get(name) == ingredients else None

    def statuses(self) -> dict[str, Status]:
        """Return what may be told of each credential."""
        return {name: credential.status() for name, credential in self.by_name.items()}

    def missing(self) -> dict[str, str | None]:
        """Return why each has no token at hand, None where it has one.

        Or where it had one that lives as long as it is used, and nobody used it.
        """
        found: dict[str, str | None] = {}
        for name, credential in self.by_name.items():
            # What is only read is read when somebody asks for it.
            credential.seed()
            status = credential.status()
            is_idle = credential.on_use is not None and status.generation > 0 and not status.reason
            is_well = is_idle or credential.ready() is not None
            found[name] = None if is_well else status.reason or "no token at hand"
        return found

    def _brokers(self, other: Credentials | None = None) -> list[Broker]:
        """Return the brokers that `other` does not have."""
        kept = other.by_name if other is not None else {}
        return [
            broker
            for name, broker in self.by_name.items()
            if isinstance(broker, Broker) and kept.get(name) is not broker
        ]


def make_credentials(
    config: Config,
    environ: Mapping[str, str],
    events: Events,
    store: Store,
    before: Credentials | None = None,
) -> Credentials:
    """Return the credentials of a configuration; nothing is asked of anybody yet.

    Those of `before` that are made of the same are kept, and those that carry on the same chain.
    Raises `OSError` when a `ca_file` cannot be read.
    """
    maker = _Maker(config, environ, events, store)
    made: dict[str, Credential] = {}
    made_of: dict[str, Ingredients] = {}
    tables = enabled_credentials(config)
    # The exchanged ones come first.
    ordered = sorted(tables, key=lambda name: tables[name].grant == "ringcx")
    # Before any is made: a file that changes meanwhile makes the next reload renew what was made.
    for name in ordered:
        made_of[name] = maker.ingredients(name, tables[name], made_of)
    for name in ordered:
        kept = before.kept_one(name, made_of[name]) if before else None
        known = before.by_name.get(name) if before else None
        credential = kept or maker.make(name, tables[name], made, known)
        if credential is not None:
            made[name] = credential
    identities = {name: maker.identity(tables[name]) for name in made if _calls(tables[name])}
    return Credentials(made, store, made_of, identities, maker.means)


class _Maker:
    def __init__(
        self, config: Config, environ: Mapping[str, str], events: Events, store: Store
    ) -> None:
        self._config = config
        self._environ = environ
        self._events = events
        self._store = store
        self._contexts = TlsContexts()
        self.means: dict[str, Means] = {}

    def ingredients(
        self, name: str, table: CredentialConfig, others: Mapping[str, Ingredients]
    ) -> Ingredients:
        """Return all that makes a credential what it is; secrets as digests.

        `others` has those of the one that it is exchanged for.
        """
        home = HOMES.get(table.grant)
        if table.token is not None or home is None:
            return name, table
        vault = Vault(_references(table), self._environ)
        return (
            name,
            table,
            # A file that was written anew is another secret under the same name.
            vault.fingerprint(*sorted(_references(table))),
            connection_of(home, self._config, self._environ),
            canonical_user_agent(self._config),
            self._call_s(),
            others.get(table.source, ()),
        )

    def make(
        self,
        name: str,
        table: CredentialConfig,
        made: Mapping[str, Credential],
        known: Credential | None,
    ) -> Credential | None:
        """Return a credential, None when the caller's passes or none is sent.

        It is the `known` one, and `means` has what it is to be given, if it has the same chain.
        """
        if table.grant in ("passthrough", "none"):
            return None
        if table.token is not None:
            return StaticCredential(name, table.token, self._environ, self._events)
        key, grant = self._grant(name, table, made)
        means = Means(
            grant,
            # What RingCX rejects is another credential's token, which changes by itself.
            Setbacks(table.auth_retry_s, table.auth_window_s, final=table.grant != "ringcx"),
            # One call of the window is left for a renewal that is due.
            reissues=max(table.auth_limit - 1, 1),
            window_s=table.auth_window_s,
            follows=table.grant == "ringcx",
        )
        if isinstance(known, Broker) and known.carries_on(key, grant):
            self.means[name] = means
            return known
        renewal = Renewal(key, grant, self._store, time.time)
        return Broker(name, table.grant, renewal, means, self._events)

    def _grant(
        self, name: str, table: CredentialConfig, made: Mapping[str, Credential]
    ) -> tuple[str, Grant]:
        """Return a grant, and the key under which the store has its tokens."""
        vault = Vault(_references(table), self._environ)
        origin, application = self._origin(table), self._application(table)
        endpoint = TokenEndpoint(
            self._route(HOMES[table.grant]),
            # The vendor counts by application, whatever the grant.
            Budget(
                f"auth:{_fingerprint(origin, application)}", table.auth_limit, table.auth_window_s
            ),
            self._store,
        )
        key = f"token:{name}:{self.identity(table)}"
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

    def identity(self, table: CredentialConfig) -> str:
        """Return a digest of who makes the token calls, and where; it tells no secret."""
        return _fingerprint(self._origin(table), table.grant, self._application(table))

    def _origin(self, table: CredentialConfig) -> str:
        return str(self._config.upstreams[HOMES[table.grant]].origin)

    def _application(self, table: CredentialConfig) -> str:
        vault = Vault(_references(table), self._environ)
        return vault.fingerprint("client_id", "username") + self._source_of(table)

    def _source_of(self, table: CredentialConfig) -> str:
        """Return who is exchanged: its name and its identity, "" for nobody.

        A token that was exchanged for another user's is not this one's, whatever its name is.
        """
        source = self._config.credentials.get(table.source)
        if source is None:
            return ""
        vault = Vault(_references(source), self._environ)
        return table.source + vault.fingerprint("client_id", "username", "jwt", "refresh_token")

    def _call_s(self) -> float:
        return min(self._config.timeouts.first_byte_s, _TOKEN_CALL_S)

    def _route(self, home: str) -> Route:
        upstream, timeouts = self._config.upstreams[home], self._config.timeouts
        ca_file = Path(upstream.ca_file) if upstream.ca_file else None
        return Route(
            upstream.origin,
            canonical_user_agent(self._config),
            self._contexts.find(ca_file) if upstream.origin.scheme == "https" else None,
            connect_timeout_s=timeouts.connect_s,
            timeout_s=self._call_s(),
            find_proxy=partial(proxy_of, upstream.origin, upstream, self._environ),
        )


def _calls(table: CredentialConfig) -> bool:
    """Tell whether its tokens come from token calls."""
    return table.token is None and table.grant in HOMES


def _references(table: CredentialConfig) -> dict[str, Reference]:
    return {key: value for key, value in table if isinstance(value, Reference)}


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
