"""What to set, or whom to ask, about what the doctor found.

Rule 1: a setting is advised only where it was seen to go round what was found.
Rule 2: a line is TOML to be copied, with a comment where it needs one, or a comment alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.core.override import Tunnel
from gateway.errors import GatewayError
from gateway.policy.findings import Examination, Finding, Verdict
from gateway.policy.probes import LONG_BYTES, OVERRIDABLE, VERBS, Question

_VERBS = frozenset(verb.value for verb in VERBS)
_NOWHERE = frozenset(
    {"dns_error", "connection_timeout", "connection_refused", "destination_unavailable"}
)


def advise(examination: Examination, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return what to write, line by line; nothing when all is well."""
    first = examination.answers[Question.GET]
    if isinstance(first, GatewayError):
        return tuple(_advise_unreached(examination, first))
    return tuple(_advise(examination, {finding.about: finding for finding in findings}))


def _advise_unreached(examination: Examination, error: GatewayError) -> Iterator[str]:
    table = f"upstreams.{examination.upstream}"
    if error.proxy_error == "tls_certificate_error":
        yield f'{table}.ca_file = "/path.pem"  # the authority of whoever inspects TLS here'
    elif error.proxy_error == "proxy_configuration_error":
        yield f'{table}.proxy_auth = "env:NAME"  # a variable with "user:password"'
    elif error.proxy_error == "http_request_denied":
        yield f"# have {examination.proxy} let CONNECT to it pass"
    elif error.proxy_error in _NOWHERE and not examination.proxy:
        yield f'{table}.proxy = "http://host:port"  # if this network is left by a proxy'
    elif examination.proxy:
        yield f"# ask who runs {examination.proxy}"
    else:
        yield "# ask who runs this network"


def _advise(examination: Examination, found: dict[str, Finding]) -> Iterator[str]:
    table = f"upstreams.{examination.upstream}"
    troubled = [about for about, finding in found.items() if finding.is_trouble]
    if Question.GET.value in troubled:
        yield "# have who runs the middlebox let requests to the vendor pass"
        return
    blocked = [about for about in troubled if about in _VERBS]
    if blocked:
        yield _advise_tunnel(examination, found, " and ".join(blocked))
    elif examination.tunnel != "off" and _channel(found, examination.tunnel).is_trouble:
        yield f'{table}.tunnel = "off"  # all verbs pass, and the override does not'
    if Question.LONG.value in troubled:
        yield f"# keep targets below {LONG_BYTES} bytes, or have the middlebox pass longer ones"
    if Question.PLUS.value in troubled:
        yield "# have the middlebox leave escapes in targets alone: no setting undoes it"


def _advise_tunnel(examination: Examination, found: dict[str, Finding], blocked: str) -> str:
    table = f"upstreams.{examination.upstream}"
    if examination.upstream not in OVERRIDABLE:
        return f"# have the middlebox let {blocked} pass: there is no override for this upstream"
    channels: tuple[Tunnel, ...] = ("header", "query")
    verdicts = {channel: _channel(found, channel).verdict for channel in channels}
    for channel, verdict in verdicts.items():
        if verdict is Verdict.OK:
            return f'{table}.tunnel = "{channel}"'
    # An override that is lost runs the wrong operation, so none is advised on trust.
    unseen = Verdict.UNSEEN in verdicts.values()
    why = "no override could be seen to arrive" if unseen else "overrides do not arrive either"
    return f"# have the middlebox let {blocked} pass: {why}"


def _channel(found: dict[str, Finding], tunnel: Tunnel) -> Finding:
    return found[(Question.HEADER if tunnel == "header" else Question.QUERY).value]
