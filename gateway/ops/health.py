"""Is this process ready for requests: two facts of its own, and how they are told.

Ready means that a request sent now would be taken: the listener is open and no drain has
begun. The vendor is not asked: a gateway that cannot reach it still gives better answers
than no gateway, and all replicas would leave the balancer at once. What an operator wants
to depend on besides (`ops.ready_requires`) comes with the question.

Rule 1: a check is a callable that returns None when all is well, or says what is not.
Rule 2: a credential without a token, or a store that is down, is told and decides nothing,
        unless it is required.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Check: TypeAlias = Callable[[], str | None]


@dataclass(slots=True)
class Health:
    """What the gateway knows of itself; `app` sets it as it goes."""

    listening: bool = False
    draining: bool = False

    def checks(self) -> Mapping[str, Check]:
        """Return the checks of `/readyz` by name."""
        return {"listener": self._check_listener, "drain": self._check_drain}

    def _check_listener(self) -> str | None:
        return None if self.listening else "not listening"

    def _check_drain(self) -> str | None:
        return "draining" if self.draining else None


def judge(checks: Mapping[str, Check]) -> dict[str, str | None]:
    """Run every check; None stands for well."""
    return {name: check() for name, check in checks.items()}


def merge_required(told: Iterable[Mapping[str, str | None]]) -> dict[str, str | None]:
    """Return what several processes have of what is required: well is what is well for one."""
    merged: dict[str, str | None] = {}
    for found in told:
        for name, trouble in found.items():
            merged[name] = trouble and merged.get(name, trouble)
    return merged


def render_verdict(
    verdict: Mapping[str, str | None], notes: Mapping[str, str | None], *, verbose: bool
) -> tuple[int, str]:
    """Return the status and the text of `/readyz`, as Kubernetes writes its own.

    `notes` are told when somebody asks for more, and decide nothing.
    """
    ready = all(reason is None for reason in verdict.values())
    if ready and not verbose:
        return 200, "ok\n"
    lines = [
        f"[+]{name} ok" if reason is None else f"[-]{name} failed: {reason}"
        for name, reason in verdict.items()
    ]
    lines += [
        f"[+]{name} ok" if reason is None else f"[!]{name} in trouble: {reason}"
        for name, reason in notes.items()
        if name not in verdict
    ]
    lines.append("readyz check passed" if ready else "readyz check failed")
    return 200 if ready else 503, "\n".join(lines) + "\n"
