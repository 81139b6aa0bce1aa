"""Does everything that the configuration refers to exist: secrets, and files of authorities.

A gateway that starts and then cannot read its token is worse than one that says so and
exits. Only what an enabled upstream uses is looked at.

Rule: a problem names the reference, never what was found there.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping

from gateway.config.compile import enabled_credentials
from gateway.config.model import Config
from gateway.config.proxies import proxy_of
from gateway.config.secrets import Reference, Unresolved, describe
from gateway.errors import Problem


def check_secrets(config: Config, environ: Mapping[str, str]) -> tuple[Problem, ...]:
    """Resolve every secret that will be needed; return what does not resolve."""
    problems = []
    for name, table in enabled_credentials(config).items():
        for key, value in table:
            if isinstance(value, Reference):
                try:
                    value.resolve(environ)
                except Unresolved as error:
                    problems.append(Problem(f"credentials.{name}.{key}", str(error)))
    return (*problems, *_check_proxies(config, environ))


def check_authorities(config: Config) -> tuple[Problem, ...]:
    """Read every `ca_file`; return what cannot be used."""
    return tuple(_check_files(config))


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
    for name, upstream in config.upstreams.items():
        if not upstream.ca_file:
            continue
        path = f"upstreams.{name}.ca_file"
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(upstream.ca_file)
        except ssl.SSLError:
            yield Problem(path, f"file {upstream.ca_file} holds no certificate in PEM form")
        except OSError as error:
            yield Problem(path, f"file {upstream.ca_file} {describe(error)}")
