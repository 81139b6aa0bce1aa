"""Does everything that the configuration refers to exist: secrets, files, and packages.

A gateway that starts and then cannot read its token is worse than one that says so and
exits. Only what an enabled upstream uses is looked at.

Rule: a problem names the reference, never what was found there.
"""

from __future__ import annotations

import importlib.util
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from gateway.config.agreement import SMALLEST
from gateway.config.compile import enabled_credentials
from gateway.config.model import Config, CredentialConfig
from gateway.config.places import check_file_place
from gateway.config.presets import DEFAULT_GRANT
from gateway.config.proxies import proxy_of
from gateway.config.secrets import TOKENS, Reference, Unresolved, describe
from gateway.config.stores import StoresConfig, resolve_key, resolve_redis
from gateway.errors import Problem

T = TypeVar("T")


def check_secrets(config: Config, environ: Mapping[str, str]) -> tuple[Problem, ...]:
    """Resolve every secret that will be needed; return what does not resolve."""
    problems: list[Problem] = []
    for name, table in enabled_credentials(config).items():
        if _is_preset(table) and (missing := [*_check_preset(name, environ)]):
            problems += missing
            continue
        for key, value in table:
            if isinstance(value, Reference):
                try:
                    value.resolve(environ, is_token=key in TOKENS)
                except Unresolved as error:
                    problems.append(Problem(f"credentials.{name}.{key}", str(error)))
    return (*problems, *_check_proxies(config, environ))


def _is_preset(table: CredentialConfig) -> bool:
    return all(str(getattr(table, key)) == value for key, value in DEFAULT_GRANT.items())


def _check_preset(name: str, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yield one problem when the variables of the vendor's samples are not all there."""
    places = [value for key, value in DEFAULT_GRANT.items() if key != "grant"]
    variables = [place.removeprefix("env:") for place in places]
    states = {
        "not set": [variable for variable in variables if variable not in environ],
        "empty": [variable for variable in variables if environ.get(variable) == ""],
    }
    told = [
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} {state}"
        for state, names in states.items()
        if names
    ]
    if told:
        *most, last = variables
        yield Problem(
            f"credentials.{name}",
            f"{', and '.join(told)}; set {', '.join(most)} and {last}, "
            f"or write [credentials.{name}] with {SMALLEST}",
        )


def check_authorities(config: Config) -> tuple[Problem, ...]:
    """Read every `ca_file`; return what cannot be used."""
    return tuple(_check_files(config))


def check_stores(config: Config, environ: Mapping[str, str]) -> tuple[Problem, ...]:
    """Look at what the store needs: its file's place, its secrets, its packages."""
    return tuple(_check_stores(config.stores, environ))


def _check_proxies(config: Config, environ: Mapping[str, str]) -> Iterator[Problem]:
    for name, upstream in config.upstreams.items():
        try:
            proxy_of(upstream.origin, upstream, environ)
        except Unresolved as error:
            yield Problem(f"upstreams.{name}.proxy_auth", str(error))
        except ValueError:
            # The environment's proxy is none, which `agreement` tells.
            continue


def _check_files(config: Config) -> Iterator[Problem]:
    files = {
        f"upstreams.{name}.ca_file": upstream.ca_file for name, upstream in config.upstreams.items()
    }
    files["stores.redis_ca_file"] = config.stores.redis_ca_file
    for path, file in files.items():
        if not file:
            continue
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except ssl.SSLError:
            yield Problem(path, f"file {file} holds no certificate in PEM form")
        except OSError as error:
            yield Problem(path, f"file {file} {describe(error)}")


def _check_stores(stores: StoresConfig, environ: Mapping[str, str]) -> Iterator[Problem]:
    if stores.file and (wrong := check_file_place(stores.file)):
        yield Problem("stores.file", wrong)
    if stores.redis is not None:
        yield from _check_package("stores.redis", "redis", "redis")
        yield from _check_reference("stores.redis", resolve_redis, stores.redis, environ)
    if stores.key is not None:
        yield from _check_package("stores.key", "cryptography", "sealing")
        yield from _check_reference("stores.key", resolve_key, stores.key, environ)


def _check_package(path: str, package: str, extra: str) -> Iterator[Problem]:
    if importlib.util.find_spec(package) is None:
        install = f"pip install 'rc-gateway[{extra}]'"
        yield Problem(path, f"needs the package {package}, which is not here; run: {install}")


def _check_reference(
    path: str,
    resolve: Callable[[T, Mapping[str, str]], object],
    reference: T,
    environ: Mapping[str, str],
) -> Iterator[Problem]:
    try:
        resolve(reference, environ)
    except Unresolved as error:
        yield Problem(path, str(error))
