"""The path to an upstream, examined: probes are sent as requests are, and what comes is kept.

Connections are made by the engine's own connector, so that proxy, name, TLS and limits
are those of the running gateway; each probe has one to itself, because a hop that blocks
often closes it.

Rule 1: no credential is read or sent, but that for a proxy.
Rule 2: nothing is judged here; `policy.findings` does that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gateway.config.model import Config
from gateway.config.proxies import find_proxy, proxy_of
from gateway.core.message import OutboundHead
from gateway.core.useragent import compose_user_agent
from gateway.engine.connect import Connector
from gateway.engine.upstream import UpstreamConnection
from gateway.errors import GatewayError
from gateway.policy.findings import Answer, Certificate, Examination
from gateway.policy.probes import Probe, Question, make_probes
from gateway.policy.signs import MOST_BYTES, Heard

# Harmless requests are answered at once; what drops them should not hold up the report.
ANSWER_S = 10.0
_ISSUER = ("organizationName", "commonName")


class Doctor:
    """Examines the path to one upstream of a configuration."""

    def __init__(self, config: Config, name: str, environ: Mapping[str, str]) -> None:
        self._loop = asyncio.get_running_loop()
        self._config = config
        self._name = name
        self._environ = environ
        self._upstream = config.upstreams[name]
        agent = compose_user_agent(config.user_agent.product, config.user_agent.comment)
        self._fields = (
            (b"Host", self._upstream.origin.authority),
            (b"Accept", b"application/json"),
            (b"User-Agent", agent),
            (b"X-User-Agent", agent),
            (b"Via", b"1.1 rc-gateway"),
            (b"Connection", b"close"),
        )

    async def examine(self) -> Examination:
        """Send every probe; return what was heard."""
        ca_file = self._upstream.ca_file
        connector = self._make_connector(Path(ca_file) if ca_file else None)
        first, *others = make_probes(self._name)
        heard: dict[Question, Answer] = {}
        certificate = None
        try:
            connection = await connector.connect(self._loop.time() + ANSWER_S)
            certificate = await self._read_certificate(connection)
            heard[first.question] = await self._ask(connection, first)
            rest = await asyncio.gather(*[self._send(connector, probe) for probe in others])
            heard |= {probe.question: answer for probe, answer in zip(others, rest, strict=True)}
        except GatewayError as error:
            heard[first.question] = error
        proxy = find_proxy(self._upstream.origin, self._upstream, self._environ)
        named = f"the proxy {proxy.host}:{proxy.port}" if proxy else ""
        return Examination(self._name, self._upstream.tunnel, named, certificate, heard)

    async def _send(self, connector: Connector, probe: Probe) -> Answer:
        """Send a probe on a connection of its own; return its answer, or why there is none."""
        try:
            connection = await connector.connect(self._loop.time() + ANSWER_S)
            return await self._ask(connection, probe)
        except GatewayError as error:
            return error

    async def _ask(self, connection: UpstreamConnection, probe: Probe) -> Answer:
        length = ((b"Content-Length", b"0"),) if probe.method == b"POST" else ()
        fields = (*self._fields, *probe.fields, *length)
        head = OutboundHead(probe.method, probe.path, probe.query, fields)
        try:
            connection.ask(probe.method.decode(), head.render())
            deadline = self._loop.time() + ANSWER_S
            late = f"upstream sent no reply within {ANSWER_S:g} s"
            answer = await connection.read_head(deadline, late)
            return Heard(answer, await _read_start(connection, deadline))
        finally:
            connection.abort()

    async def _read_certificate(self, connection: UpstreamConnection) -> Certificate | None:
        peer = connection.certificate
        if peer is None:
            return None
        return Certificate(issuer_of(peer), is_public=await self._is_public())

    async def _is_public(self) -> bool:
        """Tell whether the certificate is trusted without the configured authorities."""
        if not self._upstream.ca_file:
            return True
        connector = self._make_connector(None)
        try:
            connection = await connector.connect(self._loop.time() + ANSWER_S)
        except GatewayError:
            return False
        connection.abort()
        return True

    def _make_connector(self, ca_file: Path | None) -> Connector:
        origin, timeout_s = self._upstream.origin, self._config.timeouts.connect_s
        proxy = partial(proxy_of, origin, self._upstream, self._environ)
        return Connector(self._loop, origin, timeout_s, ca_file, proxy)


async def _read_start(connection: UpstreamConnection, deadline: float) -> bytes:
    """Return how a body begins; nothing of one that is cut short, whose head was heard."""
    try:
        return (await connection.peek_body(MOST_BYTES, deadline))[:MOST_BYTES]
    except GatewayError:
        return b""


def issuer_of(certificate: Mapping[str, Any]) -> str:
    """Return the name of who issued a certificate, as `ssl` reads it: organization, else name."""
    names = {key: value for part in certificate.get("issuer", ()) for key, value in part}
    found = next((names[key] for key in _ISSUER if key in names), "somebody unnamed")
    return found if found.isprintable() else ascii(found)
