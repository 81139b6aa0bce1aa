"""What another configuration changes, and what of it a running gateway can take over.

Told by TOML paths, never by values: a literal in a configuration is a secret, and a path
says where to look.

Rule 1: what cannot be heeded is said, each time; nothing is passed over in silence.
Rule 2: values are compared as they are, not as they are shown: literals are masked there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from gateway.config.model import Config
from gateway.config.settings import render_path
from gateway.errors import Problem

_ABSENT = object()


def changed_paths(before: Config, after: Config) -> list[str]:
    """Return the TOML path of every setting that differs; a table that is new or gone as one."""
    return [render_path(path) for path in _differences(before, after, ())]


def refusals(before: Config, after: Config) -> Iterator[Problem]:
    """Yield what a running gateway does not take over, so that it must not take the rest."""
    for path in _differences(before.stores, after.stores, ("stores",)):
        yield Problem(
            render_path(path),
            "cannot change while the gateway runs, which has its tokens and budgets there; "
            "restart it, or set this back to what it was",
        )


def unheeded(started: Config, after: Config) -> Iterator[Problem]:
    """Yield what waits for a restart, while all else is taken over; `started` is what runs."""
    if after.engine.workers != started.engine.workers:
        yield Problem(
            "engine.workers",
            f"is {after.engine.workers} from the next restart on; until then it stays "
            f"{started.engine.workers}",
        )
    if after.ops.bind != started.ops.bind:
        yield Problem(
            "ops.bind",
            f"is {after.ops.bind} from the next restart on; until then it stays {started.ops.bind}",
        )


def _differences(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(before, BaseModel) and isinstance(after, BaseModel):
        before, after = dict(before), dict(after)
    if not isinstance(before, dict) or not isinstance(after, dict):
        if before != after:
            yield path
        return
    for key in [*before, *(key for key in after if key not in before)]:
        yield from _differences(before.get(key, _ABSENT), after.get(key, _ABSENT), (*path, key))
