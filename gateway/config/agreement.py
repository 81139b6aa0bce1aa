"""What values of the configuration must agree on with each other.

Each rule yields what is wrong together with the paths that it judged by: a value that
was already found to be flawed is no witness against another one.

Rule 1: only credentials that an enabled upstream uses are judged.
Rule 2: with the simulator, origins and credentials are replaced, so they are not judged.
Rule 3: nothing here opens a file or resolves a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.config.compile import enabled_credentials
from gateway.config.grants import given_keys, misfits
from gateway.config.model import Config, CredentialConfig
from gateway.config.presets import ENGAGE, ENGAGE_DIGITAL_HOST, PRESETS
from gateway.config.proxies import find_environment_proxy
from gateway.core.useragent import BadUserAgent, compose_user_agent
from gateway.errors import Problem
from gateway.policy.callers import is_loopback

SMALLEST = 'grant = "static" and token = "env:NAME" or "file:/path"'
# The upstream at which the tokens of a grant are had.
HOMES = {
    "jwt": "platform",
    "refresh_token": "platform",
    "ringcx": "ringcx",
    "engage_legacy": "engage_legacy",
}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A problem, and the TOML paths of the values that it was judged by."""

    problem: Problem
    judged_by: tuple[str, ...]


def judge(
    config: Config, environ: Mapping[str, str], *, simulator: bool, serves: bool = True
) -> Iterator[Disagreement]:
    """Yield everything that does not fit together."""
    yield from _judge_binds(config)
    yield from _judge_user_agent(config)
    yield from _judge_limits(config)
    yield from _judge_routes(config)
    yield from _judge_stores(config)
    yield from _judge_tunnels(config)
    if not simulator:
        yield from _judge_origins(config)
        if serves:
            yield from _judge_loops(config, environ)
        yield from _judge_proxies(config, environ)
        yield from _judge_workers(config)
        yield from _judge_names(config)
        for name, table in enabled_credentials(config).items():
            yield from _judge_credential(f"credentials.{name}", table)
            yield from _judge_home(name, table, config)
            yield from _judge_chain(name, table, config)


def _found(path: str, message: str, *others: str) -> Disagreement:
    return Disagreement(Problem(path, message), (path, *others))


def _judge_binds(config: Config) -> Iterator[Disagreement]:
    seen = {str(config.ops.bind): "ops.bind"} if config.ops.bind.port != 0 else {}
    for bind in config.listener.bind:
        if bind.host is not None and not bind.is_loopback and not config.listener.anyone:
            yield _found(
                "listener.bind",
                f"anyone who can reach {bind} could act in your RingCentral account; "
                'write "127.0.0.1:8080", or listener.anyone = true if that is meant',
                "listener.anyone",
            )
        if str(bind) in seen:
            owner = seen[str(bind)]
            yield _found("listener.bind", f"{bind} is taken by {owner}; choose another", owner)
        if bind.port != 0:
            seen[str(bind)] = "listener.bind"


def _judge_user_agent(config: Config) -> Iterator[Disagreement]:
    agent = config.user_agent
    try:
        compose_user_agent(agent.product, agent.comment)
    except BadUserAgent as error:
        yield _found("user_agent.comment", str(error), "user_agent.product")


def _judge_limits(config: Config) -> Iterator[Disagreement]:
    limits = config.limits
    for small, large in (
        ("max_target_bytes", "max_head_bytes"),
        ("replay_body_bytes", "max_body_bytes"),
    ):
        least, most = getattr(limits, small), getattr(limits, large)
        if least > most:
            yield _found(
                f"limits.{small}",
                f"{least} is more than limits.{large}, which is {most}; write at most {most}",
                f"limits.{large}",
            )


def _judge_routes(config: Config) -> Iterator[Disagreement]:
    owners: dict[str, str] = {}
    for name, upstream in config.upstreams.items():
        for route in upstream.routes:
            path = f"upstreams.{name}.routes"
            if route in owners:
                owner = owners[route]
                yield _found(path, f'"{route}" belongs to {owner} already; remove one', owner)
            owners[route] = path


def _judge_stores(config: Config) -> Iterator[Disagreement]:
    stores = config.stores
    if stores.file and stores.redis is not None:
        yield _found("stores.redis", "is set beside stores.file; remove one", "stores.file")
    if stores.key is not None and not stores.outlive:
        yield _found(
            "stores.key",
            "has no use while tokens are kept in memory; "
            "write stores.file or stores.redis, or remove it",
            "stores.file",
            "stores.redis",
        )


def _judge_workers(config: Config) -> Iterator[Disagreement]:
    """Yield that each worker would have a session and a budget of token calls of its own."""
    if config.engine.workers == 1 or config.stores.outlive:
        return
    names = [
        name for name, table in enabled_credentials(config).items() if _calls_for_tokens(table)
    ]
    if names:
        yield _found(
            "engine.workers",
            f"is {config.engine.workers}, and each worker would begin a session of its own for "
            f"{', '.join(names)}, of which the vendor allows few, and count token calls by itself; "
            "set stores.file or stores.redis, which workers share, or write 1",
            "stores.file",
            "stores.redis",
            *(f"credentials.{name}.grant" for name in names),
        )


def _calls_for_tokens(table: CredentialConfig) -> bool:
    return table.grant in HOMES and table.token is None


def _judge_origins(config: Config) -> Iterator[Disagreement]:
    for name, upstream in config.upstreams.items():
        path, host = f"upstreams.{name}.origin", upstream.origin.host
        if not host:
            yield _found(path, f'there is no default; write such as "{PRESETS[name].example}"')
        elif name == "engage_digital" and not (
            ENGAGE_DIGITAL_HOST.fullmatch(host) or is_loopback(host.encode())
        ):
            yield _found(
                path,
                f"{host} is not a host of Engage Digital; write "
                '"https://ACCOUNT.api.digital.ringcentral.com" or '
                '"https://ACCOUNT.api.engagement.dimelo.com"',
            )


def _judge_loops(config: Config, environ: Mapping[str, str]) -> Iterator[Disagreement]:
    """Yield each upstream whose requests would come back to this gateway."""
    binds = [("listener.bind", bind) for bind in config.listener.bind]
    binds.append(("ops.bind", config.ops.bind))
    for name, upstream in config.upstreams.items():
        origin = upstream.origin
        key = next((key for key, bind in binds if bind.is_reached_at(origin.host, origin.port)), "")
        if key:
            mend = _tell_address(name, is_variable=environ.get("RC_SERVER_URL") == str(origin))
            yield _found(f"upstreams.{name}.origin", f"is this gateway itself ({key}); {mend}", key)


def _tell_address(name: str, *, is_variable: bool) -> str:
    """Return what the origin of an upstream is; programs read the same variable as we do."""
    if is_variable:
        return (
            "RC_SERVER_URL in the gateway's environment is the vendor's address; "
            "the gateway's own belongs in the environment of the program"
        )
    preset = PRESETS[name]
    return f'write the vendor\'s address, such as "{preset.origin or preset.example}"'


def _judge_tunnels(config: Config) -> Iterator[Disagreement]:
    for name, upstream in config.upstreams.items():
        if upstream.tunnel != "off" and name in ("ringcx", *ENGAGE):
            yield _found(
                f"upstreams.{name}.tunnel",
                "must be off: Engage does not document method overrides, "
                "and a lost one would run the wrong operation",
            )


def _judge_proxies(config: Config, environ: Mapping[str, str]) -> Iterator[Disagreement]:
    """Yield what is wrong with the environment's proxy, if an upstream would use it."""
    for name, upstream in config.upstreams.items():
        try:
            find_environment_proxy(upstream.origin, environ)
        except ValueError as error:
            if not upstream.proxy:
                path = f"upstreams.{name}.proxy"
                yield _found(path, f"is empty, and {error}", f"upstreams.{name}.origin")


def _judge_names(config: Config) -> Iterator[Disagreement]:
    """Yield each credential that is used and not there, once."""
    used_by: dict[str, list[str]] = {}
    for name, upstream in config.upstreams.items():
        path = f"upstreams.{name}.credential"
        if upstream.credential:
            used_by.setdefault(upstream.credential, []).append(path)
        # The others have none only where the platform's is flawed, which is told of it alone.
        elif name in ENGAGE:
            yield _found(path, "there is no default; write a name in [credentials]")
    for name, paths in used_by.items():
        if name not in config.credentials:
            yield _found(
                f"credentials.{name}",
                f"is missing, and used by {', '.join(paths)}; "
                f"write [credentials.{name}] with {SMALLEST}",
                *paths,
            )


def _judge_credential(path: str, table: CredentialConfig) -> Iterator[Disagreement]:
    for key, message in misfits(table.grant, given_keys(table)):
        yield _found(f"{path}.{key}", message, f"{path}.grant")


def _judge_home(name: str, table: CredentialConfig, config: Config) -> Iterator[Disagreement]:
    home = HOMES.get(table.grant)
    if home is not None and home not in config.upstreams:
        path = f"credentials.{name}.grant"
        yield _found(path, f'"{table.grant}" gets its tokens from {home}; write [upstreams.{home}]')


def _judge_chain(name: str, table: CredentialConfig, config: Config) -> Iterator[Disagreement]:
    """Yield what is wrong with the credential whose token is exchanged or stored."""
    if table.grant == "ringcx":
        path = f"credentials.{name}.source"
        source = config.credentials.get(table.source)
        if source is None:
            message = f'"{table.source}" is not in [credentials]; write one that is'
            # One that is not written would be the platform's.
            witnesses = ("upstreams.platform", "upstreams.platform.credential")
            yield _found(path, message, *(() if table.source else witnesses))
        elif source.grant not in ("static", "jwt", "refresh_token"):
            yield _found(
                path,
                f'"{table.source}" has grant = "{source.grant}", whose token RingCX does not take; '
                "write a credential of RingCentral",
                f"credentials.{table.source}.grant",
            )
    if table.grant == "refresh_token" and table.refresh_token is None and not config.stores.outlive:
        yield _found(
            f"credentials.{name}.refresh_token",
            'is missing, and no store has one; write "env:NAME" or "file:/path"',
            "stores.file",
            "stores.redis",
        )
