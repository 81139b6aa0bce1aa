"""An explanation as people read it, and as programs do.

People get a table of the rules, then what comes of the request, then the outbound head
as it would be on the wire. Programs get the same as one JSON object.

Rule: both say the same; what one leaves out the other has no way to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gateway.cli.explain_stages import Step
from gateway.cli.explanation import Answered, Explanation, Forwarded, RefusedAt

# "rate group" is the longest word of the first column.
_FIRST_COLUMN = 10
# A caller's longer field name moves its own line only.
_MAX_SECOND_COLUMN = 24


def render_text(explanation: Explanation) -> str:
    """Return the explanation for people, ending in a newline."""
    parts = [[explanation.request], _render_steps(explanation.steps)]
    match explanation.outcome:
        case Forwarded() as sent:
            parts += [_render_forwarded(sent), list(sent.head)]
        case Answered() as answered:
            parts.append(
                [f"answered by the gateway: {answered.status}", f"Allow: {answered.allow}"]
            )
        case RefusedAt() as refused:
            parts.append([f"refused at {refused.stage}: {refused.status} {refused.code}"])
            parts[-1].append(refused.message)
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def render_data(explanation: Explanation) -> dict[str, Any]:
    """Return the explanation for programs; `outcome` names the key that holds it."""
    names = {Forwarded: "forwarded", Answered: "answered", RefusedAt: "refused"}
    name = names[type(explanation.outcome)]
    return {
        "request": explanation.request,
        "steps": [asdict(step) for step in explanation.steps],
        "outcome": name,
        name: asdict(explanation.outcome),
    }


def _render_steps(steps: Sequence[Step]) -> list[str]:
    width = max((len(step.about) for step in steps), default=0)
    width = min(width, _MAX_SECOND_COLUMN)
    lines = []
    for step in steps:
        about = f"{step.about:<{width}}  " if step.about else ""
        lines.append(f"{step.stage:<{_FIRST_COLUMN}}  {about}{step.text}".rstrip())
    return lines


def _render_forwarded(sent: Forwarded) -> list[str]:
    rows = (
        ("upstream", f"{sent.upstream}, {sent.origin}"),
        ("method", sent.method),
        ("rate group", sent.rate_group or "none known"),
        ("retries", sent.retries),
    )
    return [f"{name:<{_FIRST_COLUMN}}  {value}" for name, value in rows]
