"""The operators' listener, asked over real sockets."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.config.binds import Bind
from gateway.engine.events import Asked, Record
from gateway.engine.listen import CannotBind
from gateway.ops.health import Health
from gateway.ops.metrics import Gauges, Metrics
from gateway.ops.server import OpsServer

LOOPBACK = Bind("127.0.0.1", 0)


class Listening:
    """A listener that runs, and what it answers."""

    def __init__(self, bind: Bind, health: Health, metrics: Metrics) -> None:
        self.bind = bind
        self.health = health
        self.metrics = metrics

    async def ask(
        self, target: str, method: str = "GET", fields: str = "", host: str = "localhost"
    ) -> tuple[str, str]:
        """Return the head and the body of the answer."""
        if self.bind.path:
            reader, writer = await asyncio.open_unix_connection(self.bind.path)
        else:
            reader, writer = await asyncio.open_connection(self.bind.host, self.bind.port)
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\n\r\n"
        writer.write(head.encode("latin-1"))
        answer = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        head, _, body = answer.partition("\r\n\r\n")
        return head, body


@pytest.fixture
async def asked() -> AsyncIterator[Listening]:
    health, metrics = Health(listening=True), Metrics()
    server = OpsServer(health.checks(), dict, metrics, dict)
    yield Listening(await server.start(LOOPBACK), health, metrics)
    await server.close()


async def test_it_lives_while_the_loop_turns(asked: Listening) -> None:
    head, body = await asked.ask("/livez")
    assert head.startswith("HTTP/1.1 200 ")
    assert body == "ok\n"
    assert "Cache-Control: no-store" in head


async def test_it_is_ready_while_it_listens_and_does_not_drain(asked: Listening) -> None:
    assert (await asked.ask("/readyz"))[1] == "ok\n"
    asked.health.draining = True
    head, body = await asked.ask("/readyz")
    assert head.startswith("HTTP/1.1 503 ")
    assert body == "[+]listener ok\n[-]drain failed: draining\nreadyz check failed\n"
    assert (await asked.ask("/livez"))[0].startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize("target", ["/readyz?verbose", "/readyz?verbose=1"])
async def test_verbose_lists_the_checks(asked: Listening, target: str) -> None:
    _, body = await asked.ask(target)
    assert body == "[+]listener ok\n[+]drain ok\nreadyz check passed\n"


async def test_metrics_are_sampled_on_the_loop_and_told_in_prometheus_form(
    asked: Listening,
) -> None:
    seen: list[threading.Thread] = []

    def read() -> int:
        seen.append(threading.current_thread())
        return 7

    asked.metrics.watch(Gauges(int, read, int, int))
    asked.metrics.hear([Record("r-1", 0.0, Asked(method="GET"), status=200)])
    head, body = await asked.ask("/metrics")
    assert "Content-Type: text/plain; version=0.0.4" in head
    assert "rcgw_open_connections 7.0" in body
    assert 'http_server_request_duration_seconds_count{code="",method="GET"' in body
    assert seen == [threading.current_thread()]


async def test_openmetrics_is_given_when_asked_for(asked: Listening) -> None:
    head, body = await asked.ask(
        "/metrics", fields="Accept: application/openmetrics-text;version=1.0.0\r\n"
    )
    assert "Content-Type: application/openmetrics-text" in head
    assert body.endswith("# EOF\n")


@pytest.mark.parametrize("target", ["/livez", "/readyz", "/metrics", "/nothing"])
async def test_head_is_get_without_the_body(asked: Listening, target: str) -> None:
    head, body = await asked.ask(target, "HEAD")
    expected, _ = await asked.ask(target)
    assert head.splitlines()[0] == expected.splitlines()[0]
    assert body == ""


@pytest.mark.parametrize("target", ["/", "/readyz/", "/restapi/v1.0/account/~", "//livez"])
async def test_there_is_nothing_else_here(asked: Listening, target: str) -> None:
    head, body = await asked.ask(target)
    assert head.startswith("HTTP/1.1 404 ")
    assert body == "not found; there are /livez, /readyz, /metrics and /credentials\n"


async def test_nothing_can_be_changed_here(asked: Listening) -> None:
    head, _ = await asked.ask("/livez", "POST", "Content-Length: 0\r\n")
    assert head.startswith("HTTP/1.1 405 ")
    assert "Allow: GET, HEAD" in head


@pytest.mark.parametrize("target", ["/livez", "/readyz?verbose", "/metrics", "/credentials", "/"])
async def test_a_page_whose_name_was_rebound_to_this_machine_is_told_nothing(
    asked: Listening, target: str
) -> None:
    head, body = await asked.ask(target, host=f"evil.example:{asked.bind.port}")
    assert head.startswith("HTTP/1.1 403 ")
    assert body == (
        f"Host 'evil.example:{asked.bind.port}' is not a name of this gateway; "
        "add it to listener.hosts if it should be\n"
    )
    assert "evil" not in (await asked.ask(target, fields="X: evil.example\r\n"))[1]


async def test_a_name_that_is_no_longer_listed_is_refused_at_once() -> None:
    listed = ["rc.corp.example"]
    server = OpsServer({}, dict, Metrics(), dict, hosts=lambda: listed)
    one = Listening(await server.start(LOOPBACK), Health(), Metrics())
    assert (await one.ask("/livez", host="rc.corp.example"))[0].startswith("HTTP/1.1 200 ")
    listed.clear()
    assert (await one.ask("/livez", host="rc.corp.example"))[0].startswith("HTTP/1.1 403 ")
    await server.close()


async def test_who_names_nobody_is_no_page(asked: Listening) -> None:
    reader, writer = await asyncio.open_connection(asked.bind.host, asked.bind.port)
    writer.write(b"GET /livez HTTP/1.0\r\n\r\n")
    assert (await reader.read()).endswith(b"ok\n")
    writer.close()


async def test_a_unix_socket_will_do_and_is_not_stolen(tmp_path: Path) -> None:
    health, metrics = Health(listening=True), Metrics()
    server = OpsServer(health.checks(), dict, metrics, dict)
    bind = Bind(path=str(tmp_path / "ops.sock"))
    assert await server.start(bind) == bind
    with pytest.raises(CannotBind, match="in use by another process"):
        await OpsServer({}, dict, Metrics(), dict).start(bind)
    # No page reaches it, whatever it says.
    assert (await Listening(bind, health, metrics).ask("/readyz", host="x"))[1] == "ok\n"
    await server.close()
    assert os.listdir(tmp_path) == []


async def test_a_port_in_use_is_told_and_leaves_nothing_open(asked: Listening) -> None:
    server = OpsServer({}, dict, Metrics(), dict)
    with pytest.raises(CannotBind, match="in use by another process"):
        await server.start(asked.bind)
    await server.close()


async def test_closed_means_closed() -> None:
    server = OpsServer({}, dict, Metrics(), dict)
    bind = await server.start(LOOPBACK)
    await server.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(bind.host, bind.port)


async def test_closing_does_not_wait_for_a_probe_that_stays(asked: Listening) -> None:
    server = OpsServer({}, dict, Metrics(), dict)
    bind = await server.start(LOOPBACK)
    reader, writer = await asyncio.open_connection(bind.host, bind.port)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert await reader.readuntil(b"ok\n")
    await asyncio.wait_for(server.close(), 10)
    assert await reader.read() == b""
    writer.close()


async def test_what_other_processes_know_is_asked_for_before_it_is_shown() -> None:
    asked: list[str] = []

    async def refresh() -> None:
        asked.append("once more")

    server = OpsServer({}, dict, Metrics(), dict, refresh)
    one = Listening(await server.start(LOOPBACK), Health(), Metrics())
    for target, times in (("/livez", 0), ("/readyz", 0), ("/readyz?verbose", 1)):
        await one.ask(target)
        assert len(asked) == times
    for target in ("/metrics", "/credentials"):
        await one.ask(target)
    assert len(asked) == 3
    await server.close()
