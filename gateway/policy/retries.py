"""May this attempt be repeated.

So far one rule. An idle pooled connection can be closed by upstream at the moment we
write to it; that says nothing of the request. RFC 9112 section 9.3.1 lets a client
repeat an idempotent request then, and only then is it repeated here.

Rule 1: the effective method decides; a tunnelled PUT is as idempotent as a PUT.
Rule 2: a request whose bytes may have been acted on is never sent twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.policy.forward import Plan


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt failed: `number` counts from 1."""

    number: int
    connection_reused: bool
    reply_started: bool
    body_held: bool


def may_retry(plan: Plan, attempt: Attempt) -> bool:
    """Tell whether a failed attempt may be repeated, once, on a new connection."""
    return (
        attempt.number == 1
        and attempt.connection_reused
        and not attempt.reply_started
        and attempt.body_held
        and plan.idempotent
    )
