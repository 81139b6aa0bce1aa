"""From the configuration to what decides: slotted objects, made once, that no request changes.

Nothing after this looks at a section to decide about a request, except for the plain
numbers of `[timeouts]` and `[limits]`.

Rule: what is compiled was accepted by `load`; nothing is judged here.
"""

from __future__ import annotations

from gateway.config.model import Config, CredentialConfig, UpstreamConfig
from gateway.config.presets import PRESETS
from gateway.core.links import MakeSubstitute
from gateway.core.message import Rules
from gateway.core.query import QueryRules
from gateway.core.target import Authority, parse_authority
from gateway.core.useragent import compose_user_agent
from gateway.pipeline import Policy
from gateway.policy.callers import Callers
from gateway.policy.catalogue import load_catalogue
from gateway.policy.forward import ACCESS_TOKEN, ForwardRules
from gateway.policy.links import LinkRules
from gateway.policy.retries import RetryRules
from gateway.policy.routes import Routes, Scheme, Upstream

_OWNED = {
    "platform": Scheme.BEARER,
    "media": Scheme.BEARER,
    "ringcx": Scheme.BEARER,
    "engage_legacy": Scheme.X_AUTH_TOKEN,
    "engage_digital": Scheme.BEARER,
}
# The vendor documents the summaries of RingCX with the token as a cookie, and no other way.
_COOKIE_PATHS = {"ringcx": (b"/voice/api/v1/summary",)}
# With this parameter any call of Engage Digital acts as another user.
_IMPERSONATION = {"engage_digital": (b"impersonated_user_id",)}
# Engage Digital is a Rails application, which reads names as Rack does (see `policy.permits`).
_READ_BY_RACK = frozenset({"engage_digital"})


def compile_policy(config: Config, accelerate: MakeSubstitute | None = None) -> Policy:
    """Return all that `decide` needs; `accelerate` is for `LinkRules`."""
    callers = Callers(_own_names(config))
    upstreams = {name: _upstream(name, table, config) for name, table in config.upstreams.items()}
    return Policy(
        rules=Rules(
            query=QueryRules(config.query.profile, config.query.mode, config.query.plus),
            tunnel_accept=frozenset(config.tunnel.accept),
            max_head_bytes=config.limits.max_head_bytes,
            max_target_bytes=config.limits.max_target_bytes,
            max_body_bytes=config.limits.max_body_bytes,
        ),
        callers=callers,
        routes=Routes(upstreams, load_catalogue(), callers, _absent_prefixes(config)),
        forward=ForwardRules(
            canonical_user_agent(config),
            links=LinkRules(upstreams, callers, config.links.public_origin, accelerate)
            if config.links.rewrite == "on"
            else None,
        ),
        first_byte_s=config.timeouts.first_byte_s,
    )


def retry_rules(config: Config) -> RetryRules:
    """Return what may be sent a second time."""
    queue_wait_s = config.rates.max_wait_s if config.rates.mode == "queue" else None
    return RetryRules(frozenset(config.retries.on_status), queue_wait_s)


def count_workers(config: Config, cpus: int) -> int:
    """Return how many processes serve on a machine with as many CPUs for this one."""
    workers = config.engine.workers
    return workers if isinstance(workers, int) else max(cpus, 1)


def canonical_user_agent(config: Config) -> bytes:
    """Return the one User-Agent that the vendor sees."""
    return compose_user_agent(config.user_agent.product, config.user_agent.comment)


def enabled_credentials(config: Config) -> dict[str, CredentialConfig]:
    """Return the credentials that an upstream uses; the others are nobody's concern."""
    used = {upstream.credential for upstream in config.upstreams.values()}
    # A token that is exchanged for another one is used, too.
    used |= {
        table.source
        for name, table in config.credentials.items()
        if name in used and table.grant == "ringcx"
    }
    return {name: table for name, table in config.credentials.items() if name in used}


def _upstream(name: str, table: UpstreamConfig, config: Config) -> Upstream:
    grant = config.credentials[table.credential].grant
    # The grants that pass nothing of ours have the names of their schemes.
    scheme = Scheme(grant) if grant in ("passthrough", "none") else _OWNED[name]
    cut = () if table.allow_impersonation else _IMPERSONATION.get(name, ())
    return Upstream(
        name,
        table.origin,
        table.credential,
        scheme,
        prefixes=tuple(route.encode() for route in table.routes),
        tunnel=table.tunnel,
        cookie_paths=_COOKIE_PATHS.get(name, ()),
        cut_parameters=cut,
        guarded_parameters=(ACCESS_TOKEN, *cut) if name in _READ_BY_RACK else (),
    )


def _absent_prefixes(config: Config) -> dict[bytes, str]:
    """Return the prefixes of the presets that are off, with the names of their upstreams."""
    return {
        route.encode(): name
        for name, preset in PRESETS.items()
        if name not in config.upstreams
        for route in preset.routes
    }


def _own_names(config: Config) -> frozenset[Authority]:
    """Return the names that Host may carry: those configured and the bound addresses."""
    names = {parse_authority(host.encode()) for host in config.listener.hosts}
    for bind in config.listener.bind:
        if bind.host is not None and not bind.is_wildcard:
            host = f"[{bind.host}]" if ":" in bind.host else bind.host
            names.add(Authority(host.lower().encode(), bind.port or None))
    return frozenset(names)
