"""From files, environment and `--set` to one `Config`, or to every problem at once.

Layers, the later over the earlier: presets, `RC_SERVER_URL`, files in their order, the
environment, `--set`. Then the tree is validated, its values are held against each
other, and, when asked, what it refers to is looked for.

Rule 1: no problem hides another one, and none follows from another one: a default is no
        witness while something could not be read.
Rule 2: a problem says from where the value came that it complains about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.config.agreement import judge
from gateway.config.grants import given_keys, keys_of
from gateway.config.layers import Layer, read_environment, read_file, read_sets
from gateway.config.model import Config
from gateway.config.presets import fill_presets
from gateway.config.reading import read_config
from gateway.config.resolve import check_authorities, check_secrets, check_stores
from gateway.config.settings import Setting, flatten, merge, render_path, sources_of
from gateway.errors import ConfigError, Problem

DEFAULT = "default"
UNSET = "unset"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration without problems; `sources` has every TOML path of it."""

    config: Config
    sources: Mapping[str, str]
    # What was validated, literals in clear: for `restore`, and to be shown to nobody.
    tree: Mapping[str, Any] = field(repr=False)

    def rows(self) -> Iterator[tuple[str, Any, str]]:
        """Yield path, value and source of every setting; values are JSON's, literals masked."""
        for path, value in _leaves(self.config):
            yield path, value, self.sources[path]

    def all_rows(self) -> Iterator[tuple[str, Any, str]]:
        """Yield what `rows` does and, with None, the settings without a value that have a use."""
        sources = self.sources
        for path, value in _leaves(self.config, with_unset=True):
            if value is not None or _has_use(path, self.config):
                yield path, value, sources.get(path, UNSET if value is None else DEFAULT)


def load(
    files: Sequence[Path],
    sets: Sequence[str],
    environ: Mapping[str, str],
    *,
    simulator: bool = False,
    resolve: bool = False,
) -> Loaded:
    """Read the configuration, or raise `ConfigError` with every problem.

    `resolve` also looks for the secrets and files that it refers to, and for what only who serves
    must not have; `simulator` leaves
    origins and credentials unjudged, because `point_at` replaces them, and reads no `RC_*`.
    """
    settings, unread = _collect(files, sets, environ, simulator=simulator)
    sources = sources_of(settings)
    tree = merge(settings)
    fill_presets(tree)
    config, invalid = read_config(tree)
    problems = [Problem(render_path(flaw.path), flaw.message) for flaw in invalid]
    problems = unread + problems
    broken = {problem.path.partition("[")[0] for problem in problems}
    for disagreement in judge(config, environ, simulator=simulator, serves=resolve):
        # What could not be read may have set what looks like a default.
        certain = not unread or all(_is_set(path, sources) for path in disagreement.judged_by)
        if certain and broken.isdisjoint(disagreement.judged_by):
            problems.append(disagreement.problem)
    if resolve and not simulator:
        found = check_secrets(config, environ) + check_authorities(config)
        found += check_stores(config, environ)
        problems += [one for one in found if not unread or _is_set(one.path, sources)]
    if problems:
        raise ConfigError(tuple(_name_source(problem, sources) for problem in problems))
    return Loaded(config, {path: sources.get(path, DEFAULT) for path, _ in _leaves(config)}, tree)


def restore(tree: Mapping[str, Any]) -> Config:
    """Return the configuration of a `Loaded.tree`, also one that was JSON meanwhile."""
    return Config.model_validate(tree)


def _collect(
    files: Sequence[Path], sets: Sequence[str], environ: Mapping[str, str], *, simulator: bool
) -> Layer:
    settings: list[Setting] = []
    problems: list[Problem] = []
    if not simulator and (url := environ.get("RC_SERVER_URL")):
        path = ("upstreams", "platform", "origin")
        settings.append(Setting(path, url, "environment RC_SERVER_URL"))
    layers = [read_file(file) for file in files]
    for more, wrong in (*layers, read_environment(environ), read_sets(sets)):
        settings += more
        problems += wrong
    return settings, problems


def _leaves(config: Config, *, with_unset: bool = False) -> Iterator[tuple[str, Any]]:
    tree = config.model_dump(mode="json", exclude_none=not with_unset)
    for path, value in flatten(tree):
        if value != {}:
            yield render_path(path), value


def _has_use(path: str, config: Config) -> bool:
    """Tell whether a setting that has no value would mean something if it had one."""
    section, _, rest = path.partition(".")
    name, _, key = rest.rpartition(".")
    if section != "credentials":
        return True
    table = config.credentials[name]
    keys = keys_of(table.grant, given_keys(table))
    return key in (*keys.needs, *keys.takes)


def _is_set(path: str, sources: Mapping[str, str]) -> bool:
    return path in sources or bool(_below(path, sources))


def _below(path: str, sources: Mapping[str, str]) -> list[str]:
    return [place for place in sources if place.startswith(f"{path}.")]


def _name_source(problem: Problem, sources: Mapping[str, str]) -> Problem:
    """Say in a problem who set the value, or one below it."""
    path = problem.path.partition("[")[0]
    below = _below(path, sources)
    source = sources.get(path) or (sources[below[0]] if below else "")
    return Problem(problem.path, f"{problem.message} ({source})") if source else problem
