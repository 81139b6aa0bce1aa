"""gateway/ops/doctor.py, against the simulator, and with boxes and proxies in between."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from gateway.config.model import Config
from gateway.errors import UpstreamUnreachable
from gateway.ops import doctor
from gateway.ops.doctor import Doctor, issuer_of
from gateway.policy.advice import advise
from gateway.policy.findings import Examination, Verdict, judge
from gateway.policy.probes import Question
from gateway.simulator import start
from tests.config.loading import config_of
from tests.e2e.test_upstreams_tls import context_of
from tests.middlebox import (
    Meddle,
    answering_connect,
    connecting,
    decode_plus,
    meddling,
    pass_get_and_post,
    strip_override,
)
from tests.wire import Peer, answering, scripted

MARKED = b"HTTP/1.1 200 OK\r\nRCRequestId: 1\r\nContent-Length: 0\r\n\r\n"
VERBS = {"HEAD", "PUT", "PATCH", "DELETE"}


@asynccontextmanager
async def behind(meddle: Meddle) -> AsyncIterator[str]:
    """Run the simulator behind a box; give the box's origin."""
    simulator = await start()
    try:
        async with scripted(meddling(simulator.port, meddle)) as box:
            yield box.origin
    finally:
        await simulator.close()


async def examine(config: Config, name: str = "platform") -> Examination:
    return await Doctor(config, name, {}).examine()


def troubles(examination: Examination) -> set[str]:
    return {finding.about for finding in judge(examination) if finding.is_trouble}


async def test_a_plain_path_to_the_simulator_is_well() -> None:
    simulator = await start()
    try:
        config = config_of(f"upstreams.platform.origin={simulator.origin}")
        examination = await examine(config)
        seen = list(simulator.seen)
    finally:
        await simulator.close()
    findings = judge(examination)
    assert {finding.verdict for finding in findings} == {Verdict.OK}
    assert advise(examination, findings) == ()
    assert len(seen) == len(Question)


@pytest.mark.parametrize(
    ("meddle", "tunnel", "found", "advice"),
    [
        (pass_get_and_post, "off", VERBS, ('upstreams.platform.tunnel = "header"',)),
        (pass_get_and_post, "header", set(), ()),
        (
            *(strip_override, "off", VERBS | {"X-HTTP-Method-Override"}),
            ('upstreams.platform.tunnel = "query"',),
        ),
        (strip_override, "query", set(), ()),
        (
            *(decode_plus, "off", {"%2B"}),
            ("# have the middlebox leave escapes in targets alone: no setting undoes it",),
        ),
    ],
)
async def test_a_box_in_between_is_found_out(
    meddle: Meddle, tunnel: str, found: set[str], advice: tuple[str, ...]
) -> None:
    async with behind(meddle) as origin:
        config = config_of(
            f"upstreams.platform.origin={origin}", f"upstreams.platform.tunnel={tunnel}"
        )
        examination = await examine(config)
    assert troubles(examination) == found
    assert advise(examination, judge(examination)) == advice


async def test_no_probe_carries_a_credential_or_a_body() -> None:
    seen: list[tuple[bytes, bytes]] = []
    async with scripted(answering(MARKED, seen=seen)) as upstream:
        await examine(config_of(f"upstreams.platform.origin={upstream.origin}"))
    assert len(seen) == len(Question)
    for head, body in seen:
        assert body == b""
        assert b"authorization" not in head.lower()
        assert (b"Content-Length: 0\r\n" in head) is head.startswith(b"POST ")


async def test_a_box_that_cuts_what_it_does_not_like_is_found_out() -> None:
    async def script(peer: Peer) -> None:
        head, _ = await peer.read_request()
        if head.startswith(b"PUT "):
            peer.reset()
        else:
            await peer.send(MARKED)

    async with scripted(script) as upstream:
        examination = await examine(config_of(f"upstreams.platform.origin={upstream.origin}"))
    (put,) = [finding for finding in judge(examination) if finding.about == "PUT"]
    assert (put.verdict, put.hop) == (Verdict.BLOCKED, "network")


@pytest.mark.parametrize(
    ("head", "body", "verdict"),
    [
        ("403 Forbidden", b'{"error":"blocked by policy"}', Verdict.BLOCKED),
        ("404 Not Found", b'{"errorCode":"CMN-102","message":"No"}', Verdict.OK),
    ],
)
async def test_the_vendor_is_known_by_the_members_of_its_answers_and_not_by_json(
    head: str, body: bytes, verdict: Verdict
) -> None:
    fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    raw = f"HTTP/1.1 {head}\r\n{fields}\r\n\r\n".encode() + body
    async with scripted(answering(raw)) as box:
        examination = await examine(config_of(f"upstreams.platform.origin={box.origin}"))
    found = {finding.about: finding.verdict for finding in judge(examination)}
    assert found["GET"] is found["PUT"] is verdict


async def test_of_an_answer_that_is_cut_the_head_was_heard() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(MARKED.replace(b": 0", b": 9") + b"{")

    async with scripted(script) as box:
        examination = await examine(config_of(f"upstreams.platform.origin={box.origin}"))
    assert judge(examination)[0].verdict is Verdict.OK


async def test_what_cannot_be_reached_is_asked_nothing_more() -> None:
    async with scripted(answering(MARKED)) as gone:
        origin = gone.origin
    examination = await examine(config_of(f"upstreams.platform.origin={origin}"))
    assert set(examination.answers) == {Question.GET}
    assert isinstance(examination.answers[Question.GET], UpstreamUnreachable)


async def test_the_time_that_is_too_long_is_the_doctors_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "ANSWER_S", 0.2)

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.read_to_end()

    async with scripted(script) as box:
        examination = await examine(config_of(f"upstreams.platform.origin={box.origin}"))
    assert str(examination.answers[Question.GET]) == "upstream sent no reply within 0.2 s"


async def test_a_proxy_that_wants_credentials_is_the_hop_to_look_at() -> None:
    denied = b"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n"
    async with scripted(answering_connect(denied)) as proxy:
        config = config_of(f"upstreams.platform.proxy=http://127.0.0.1:{proxy.port}")
        examination = await examine(config)
    (finding,) = judge(examination)
    assert finding.hop == "proxy"
    assert "answered 407" in finding.text
    (line,) = advise(examination, (finding,))
    assert line.startswith('upstreams.platform.proxy_auth = "env:NAME"')


@pytest.mark.parametrize("is_inspected", [True, False])
async def test_tls_that_is_inspected_is_told_from_tls_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_inspected: bool
) -> None:
    authority = trustme.CA(organization_name="Corp Inspection")
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    if not is_inspected:
        monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    tls = context_of("api.example", authority=authority)
    async with (
        scripted(answering(MARKED), tls) as upstream,
        scripted(connecting(upstream.port)) as proxy,
    ):
        config = config_of(
            "upstreams.platform.origin=https://api.example",
            f"upstreams.platform.proxy=http://127.0.0.1:{proxy.port}",
            f"upstreams.platform.ca_file={ca_file}",
        )
        examination = await examine(config)
    assert examination.proxy == f"the proxy 127.0.0.1:{proxy.port}"
    assert examination.certificate is not None
    assert examination.certificate.issuer == "Corp Inspection"
    assert examination.certificate.is_public is not is_inspected


async def test_without_authorities_of_our_own_the_systems_have_vouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with scripted(answering(MARKED), context_of("127.0.0.1", authority=authority)) as peer:
        examination = await examine(config_of(f"upstreams.platform.origin={peer.origin}"))
    assert examination.certificate is not None
    assert examination.certificate.is_public


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        (((("organizationName", "A"),), (("commonName", "B"),)), "A"),
        (((("commonName", "B"),),), "B"),
        (((("commonName", "B\x1b"),),), "'B\\x1b'"),
        ((), "somebody unnamed"),
    ],
)
def test_an_issuer_is_named_by_its_organization(issuer: object, name: str) -> None:
    assert issuer_of({"issuer": issuer}) == name
