"""What the gateway would do with a request, as one value: the rules, then the outcome.

The verdict is `pipeline.decide`'s and nobody else's; the stages are asked again only to
tell how it came about.

Rule: everything in an `Explanation` is text or a number, ready to be printed.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.cli.explain_outbound import (
    describe_changes,
    outbound_fields,
    render_lines,
    show_target,
)
from gateway.cli.explain_retries import describe_retries
from gateway.cli.explain_stages import Step, walk, walk_to
from gateway.core.message import ASTERISK, RawHead
from gateway.errors import Refused
from gateway.ops.redaction import CUT, hides_secret, show_text
from gateway.pipeline import AnsweredHere, Policy, decide
from gateway.policy.retries import RetryRules

_DEFAULT_RULES = RetryRules()


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The request would be sent; `head` are the lines of the outbound head.

    `retries` says after what it would be sent a second time.
    """

    upstream: str
    origin: str
    method: str
    rate_group: str | None
    retries: str
    head: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The gateway is the last recipient, and answers itself."""

    status: int
    allow: str


@dataclass(frozen=True, slots=True)
class RefusedAt:
    """The request would be refused, by `stage`."""

    stage: str
    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The request line, the rules that fired in order, and what comes of it."""

    request: str
    steps: tuple[Step, ...]
    outcome: Forwarded | Answered | RefusedAt


def explain(
    raw: RawHead,
    policy: Policy,
    *,
    body_bytes: int = 0,
    replay_body_bytes: int = 0,
    rules: RetryRules = _DEFAULT_RULES,
) -> Explanation:
    """Explain a request; sizes in bytes, of its body and of what may be held of one."""
    request = f"{show_text(raw.method)} {show_target(raw.target)} {show_text(raw.version)}"
    try:
        verdict = decide(raw, policy, 0.0)
    except Refused as error:
        before, stage = walk_to(raw, policy, error)
        # A reason may quote the path it speaks of.
        message = CUT if hides_secret(error.message.encode()) else error.message
        refused = RefusedAt(stage, error.status, error.code, message)
        return Explanation(request, tuple(before), refused)
    steps = walk(raw, policy, is_answered_here=isinstance(verdict, AnsweredHere))
    if isinstance(verdict, AnsweredHere):
        steps.append(Step("hop", _why_here(verdict)))
        return Explanation(request, tuple(steps), Answered(204, verdict.allow))
    fields = outbound_fields(verdict, body_bytes, replay_body_bytes)
    steps += describe_changes(verdict, fields)
    forwarded = Forwarded(
        upstream=verdict.upstream.name,
        origin=str(verdict.upstream.origin),
        method=verdict.request.method,
        rate_group=verdict.rate_group,
        retries=describe_retries(verdict, rules, is_held=body_bytes <= replay_body_bytes),
        head=render_lines(verdict, fields),
    )
    return Explanation(request, tuple(steps), forwarded)


def _why_here(answered: AnsweredHere) -> str:
    """Return why the gateway is the last recipient of a request."""
    if answered.request.target.path == ASTERISK:
        return "OPTIONS of * asks about its recipient, which is the gateway"
    return "Max-Forwards is 0, so the gateway is the last recipient"
