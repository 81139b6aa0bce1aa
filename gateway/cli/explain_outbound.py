"""The outbound head as it would leave, and what was dropped and set to make it.

The plan has the fields; the framing and the gateway's own credential are added by the
engine when it sends, and here in the same order, with a mask for the token.

Rule 1: each field of the caller's that is missing outbound is named with its reason.
Rule 2: a `Secret` is printed as its mask, and a secret parameter's value is masked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from gateway.cli.explain_stages import CHANNELS, Step
from gateway.core.framing import Framing, Kind, framing_fields
from gateway.core.grammar import ABSOLUTE
from gateway.core.headers import Fields, hop_by_hop
from gateway.core.message import OutboundField
from gateway.core.query import find_pairs
from gateway.core.secret import MASK, Secret
from gateway.credentials.tokens import Token
from gateway.engine.credential_line import credential_fields
from gateway.ops.redaction import CUT, hides_secret, mask_query, show_path, show_text
from gateway.policy.forward import ACCESS_TOKEN, Fate, Plan, fate_of
from gateway.policy.routes import Scheme

# The fields that pass with another value.
_CHANGED = {
    b"max-forwards": "counted down",
    b"accept-encoding": "narrowed",
    b"if-match": "put back",
}


def outbound_fields(
    plan: Plan, body_bytes: int, replay_body_bytes: int
) -> tuple[OutboundField, ...]:
    """Return all fields as the engine sends them, a mask standing for the token.

    Sizes in bytes: that of a chunked body, and up to which one leaves with its length.
    """
    token = Token(Secret(MASK.encode()), 0) if plan.upstream.scheme.owned else None
    own = ((name, _clear(value)) for name, value in credential_fields(plan.scheme, token))
    return (*plan.outbound.fields, *_framing_fields(plan, body_bytes, replay_body_bytes), *own)


def render_lines(plan: Plan, fields: tuple[OutboundField, ...]) -> tuple[str, ...]:
    """Return the lines of the head, in printable text."""
    line = f"{plan.outbound.method.decode()} {show_target(plan.outbound.target)} HTTP/1.1"
    return (line, *(f"{_show(name)}: {_show(value)}" for name, value in fields))


def describe_changes(plan: Plan, fields: tuple[OutboundField, ...]) -> Iterator[Step]:
    """Yield each field that is dropped, with its reason, and each that the gateway sets."""
    scheme = plan.upstream.scheme
    received = plan.request.fields
    ending = hop_by_hop(received)
    left = list(fields)
    for name, value in received:
        fate = fate_of(name.lower(), ending, scheme)
        if fate is not None:
            yield Step("drop", fate.value, _show(name))
            continue
        at = next(at for at, (sent, _) in enumerate(left) if sent == name)
        sent = left.pop(at)[1]
        if isinstance(sent, bytes) and sent != value:
            yield Step("set", f"{_CHANGED[name.lower()]} to {_show(sent)}", _show(name))
    if scheme is not Scheme.PASSTHROUGH:
        yield from _describe_cuts(plan)
    yield from _describe_tunnel(plan)
    for name, set_value in left:
        yield Step("set", _show(set_value), _show(name))


def _describe_cuts(plan: Plan) -> Iterator[Step]:
    reasons = dict.fromkeys(plan.upstream.cut_parameters, "acts as another user; not allowed here")
    for name, reason in ({ACCESS_TOKEN: Fate.CREDENTIAL.value} | reasons).items():
        if find_pairs(plan.request.query, name):
            yield Step("drop", reason, f"{name.decode()} (query)")


def _describe_tunnel(plan: Plan) -> Iterator[Step]:
    effective, sent = plan.request.method, plan.outbound.method.decode()
    if effective == sent:
        return
    if effective == "HEAD":
        yield Step("tunnel", "HEAD leaves as GET; the body of the answer is dropped here")
        return
    channel = CHANNELS[plan.upstream.tunnel]
    yield Step("tunnel", f"{effective} leaves as {sent} with the verb there", channel)


def show_target(target: bytes) -> str:
    """Return a request-target, received or sent, with its secrets masked."""
    target, hash_mark, _ = target.partition(b"#")
    path, mark, query = target.partition(b"?")
    url = ABSOLUTE.fullmatch(path)
    is_plain = path.startswith(b"/") if url is None else b"@" not in url["authority"]
    shown = _show(path) if is_plain and not hides_secret(path) else show_path(path)
    shown += f"?{_show(mask_query(query))}" if mark else ""
    return f"{shown}#{CUT}" if hash_mark else shown


def _framing_fields(plan: Plan, body_bytes: int, replay_body_bytes: int) -> Fields:
    framing = plan.framing
    if framing.kind is Kind.CHUNKED and body_bytes <= replay_body_bytes:
        framing = Framing(Kind.LENGTH, body_bytes)
    return framing_fields(framing)


def _clear(value: bytes | Secret) -> bytes:
    # Made from the mask above, so nothing is revealed.
    return value.reveal() if isinstance(value, Secret) else value


def _show(value: bytes | Secret) -> str:
    return str(value) if isinstance(value, Secret) else show_text(value, sys.maxsize - 1)
