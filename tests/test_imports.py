"""The direction of imports, read from the source with `ast`.

Rooms stand in a row and import only to their left; the simulator stands apart; the pure
layers import nothing that could wait, read a clock or open a file. Imports inside
functions and for the type checker count as any other: they tie modules together too.
The rules are checked on the tree, and first on source made up to break them.
"""

import ast
import graphlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From left to right: a room imports itself and what stands before it. The first two hold
# no code of their own: the map in gateway/__init__.py, and package data.
ROOMS = (
    *("map", "data"),
    *("errors", "core", "policy", "pipeline"),
    *("config", "stores", "credentials", "engine", "browser", "ops", "app", "cli"),
)
PURE = frozenset({"errors", "core", "policy", "pipeline"})
SIMULATOR = "simulator"
MAY_IMPORT_SIMULATOR = frozenset({"app", "cli", SIMULATOR})

PURE_STDLIB = frozenset(
    {
        *("re", "dataclasses", "typing", "collections", "enum", "functools", "hashlib", "hmac"),
        *("ipaddress", "base64", "itertools", "csv", "importlib.resources", "math"),
        *("__future__", "datetime", "email.utils", "bisect", "heapq", "operator", "types"),
        "string",
    }
)
CLOCKS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today"})

# Rooms left of `ops` neither log nor count: they call Protocols that `ops` implements.
LOGGING = frozenset({"logging", "structlog", "prometheus_client"})
MAY_LOG = frozenset({"ops", "app", "cli", SIMULATOR})


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """One imported name, `target`, as fully as the source tells it."""

    module: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}: imports {self.target}"


def room_of(module: str) -> str:
    name = [*module.split("."), "map"][1]
    return "cli" if name == "__main__" else name


def is_ours(module: str) -> bool:
    return module.split(".")[0] == "gateway"


def read_imports(module: str, source: str, known: Iterable[str]) -> list[Import]:
    """List what `module` imports; `from x import y` is x.y when that is a module."""
    modules = PURE_STDLIB.union(known)

    def targets(node: ast.stmt) -> Iterator[str]:
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=origin, names=names, level=level):
                start = "." * level + (origin or "")
                for alias in names:
                    deeper = f"{start}.{alias.name}"
                    yield deeper if deeper in modules else start
            case _:
                return

    statements = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt))
    return sorted(
        {Import(module, node.lineno, name) for node in statements for name in targets(node)}
    )


def check_direction(item: Import) -> str | None:
    """Say why an import of ours goes the wrong way, or None."""
    here, there = room_of(item.module), room_of(item.target)
    if item.target.startswith("."):
        return f"{item}; write the full name"
    if not is_ours(item.target):
        return None
    if there == SIMULATOR:
        return None if here in MAY_IMPORT_SIMULATOR else f"{item}; only app, cli and tests may"
    if here == SIMULATOR:
        return f"{item}; the simulator imports nothing of gateway"
    strange = [name for name in (here, there) if name not in ROOMS]
    if strange:
        return f"{item}; the house has no room {strange[0]!r}"
    if ROOMS.index(there) > ROOMS.index(here):
        return f"{item}; {there} stands to the right of {here}"
    return None


def check_purity(item: Import) -> str | None:
    """Say why a pure layer may not import this, or None."""
    if room_of(item.module) not in PURE or is_ours(item.target) or item.target.startswith("."):
        return None
    parts = item.target.split(".")
    if PURE_STDLIB & {".".join(parts[: end + 1]) for end in range(len(parts))}:
        return None
    return f"{item}; not on the pure layers' list of the standard library"


def check_logging(item: Import) -> str | None:
    """Say why a room may not import a logger or a counter, or None."""
    if item.target.split(".")[0] not in LOGGING or room_of(item.module) in MAY_LOG:
        return None
    return f"{item}; rooms left of ops never log or count"


def check_clock(module: str, source: str) -> list[str]:
    """List the places where a pure layer reads a clock through datetime."""
    if room_of(module) not in PURE:
        return []
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    return [
        f"{module}, line {node.lineno}: reads the clock; the time is an argument"
        for node in calls
        if ".".join(ast.unparse(node).split(".")[-2:]) in CLOCKS
    ]


def find_cycles(imports: Iterable[Import]) -> list[str]:
    """List import cycles; each is cut at one edge before the next is looked for."""
    graph: dict[str, set[str]] = {}
    for item in imports:
        if is_ours(item.target):
            graph.setdefault(item.module, set()).add(item.target)
    cycles = []
    while True:
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            # The cycle is told from the imported to the importing.
            cycle: list[str] = error.args[1][::-1]
            graph[cycle[0]].discard(cycle[1])
            cycles.append("import cycle: " + " -> ".join(cycle))
        else:
            return cycles


def find_problems(sources: Mapping[str, str]) -> list[str]:
    """Apply every rule to the modules given by name."""
    imports = [item for name in sources for item in read_imports(name, sources[name], sources)]
    checks = (check_direction, check_purity, check_logging)
    found = [problem for item in imports for check in checks if (problem := check(item))]
    clocks = [problem for name in sources for problem in check_clock(name, sources[name])]
    return [*found, *clocks, *find_cycles(imports)]


def read_tree(root: Path) -> dict[str, str]:
    """Read the modules below root/gateway by their dotted names."""
    sources = {}
    for path in sorted((root / "gateway").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sources[name] = path.read_text(encoding="utf-8")
    return sources


def test_the_house_keeps_its_direction() -> None:
    problems = find_problems(read_tree(ROOT))
    assert not problems, "\n".join([f"{len(problems)} problem(s):", *problems])


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gateway.errors", "from dataclasses import dataclass"),
        ("gateway.core.links", "from collections.abc import Iterator\nimport email.utils"),
        ("gateway.policy.catalogue", "from importlib import resources\nimport importlib.resources"),
        ("gateway.policy.catalogue", "from importlib.resources import files"),
        ("gateway.policy.forward", "from gateway.core.secret import Secret"),
        ("gateway.core.target", "from gateway.core import grammar"),
        ("gateway.core.target", "def f(now: float) -> float:\n    return now"),
        ("gateway.engine.pool", "import asyncio\nfrom gateway.pipeline import decide"),
        ("gateway.ops.log", "import structlog"),
        ("gateway.app", "from gateway.simulator import serve"),
        ("gateway.__main__", "from gateway.cli import main"),
        ("gateway.simulator.server", "import aiohttp\nfrom gateway.simulator import tokens"),
        ("gateway.cli", "from gateway import __version__"),
    ],
)
def test_an_import_to_the_left_is_fine(module: str, source: str) -> None:
    assert find_problems({module: source}) == []


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("gateway.errors", "import gateway.core.target", "core stands to the right of errors"),
        ("gateway.core.a", "from gateway.policy.b import c", "policy stands to the right of core"),
        ("gateway.core.a", "from gateway import pipeline", "pipeline stands to the right of core"),
        ("gateway.core.a", "def f():\n    import gateway.cli", "cli stands to the right of core"),
        ("gateway", "from gateway.app import run", "app stands to the right of map"),
        ("gateway.core.a", "from . import b", "write the full name"),
        ("gateway.core.a", "import time", "not on the pure layers' list"),
        ("gateway.core.a", "import os.path", "not on the pure layers' list"),
        ("gateway.core.a", "import importlib", "not on the pure layers' list"),
        ("gateway.core.a", "from email import message", "not on the pure layers' list"),
        ("gateway.policy.a", "import yarl", "not on the pure layers' list"),
        ("gateway.pipeline", "from asyncio import sleep", "not on the pure layers' list"),
        ("gateway.core.a", "import datetime\ndatetime.datetime.now()", "reads the clock"),
        ("gateway.core.a", "from datetime import date\ndate.today()", "reads the clock"),
        ("gateway.engine.a", "import structlog.stdlib", "never log or count"),
        ("gateway.stores.a", "from prometheus_client import Counter", "never log or count"),
        ("gateway.engine.a", "from gateway.simulator import b", "only app, cli and tests may"),
        ("gateway.simulator.a", "from gateway.errors import E", "imports nothing of gateway"),
        ("gateway.attic", "from gateway.errors import E", "the house has no room 'attic'"),
    ],
)
def test_a_wrong_import_is_named_with_its_reason(module: str, source: str, reason: str) -> None:
    known = {"gateway.pipeline": "", "gateway.app": ""}
    (problem,) = find_problems({**known, module: source})
    assert problem.startswith(f"{module}, line ")
    assert reason in problem


def test_cycles_between_modules_are_named_all_at_once() -> None:
    problems = find_problems(
        {
            "gateway.core.a": "from gateway.core import b",
            "gateway.core.b": "from gateway.core.c import x",
            "gateway.core.c": "import gateway.core.a",
            "gateway.engine.d": "def f():\n    from gateway.engine.e import y",
            "gateway.engine.e": "from gateway.engine.d import f",
        }
    )
    assert len(problems) == 2
    assert all(problem.startswith("import cycle: gateway.") for problem in problems)
    assert sum("gateway.core.a -> gateway.core.b" in problem for problem in problems) == 1
    assert sum("gateway.engine.d -> gateway.engine.e" in problem for problem in problems) == 1


def test_packages_and_modules_are_named_as_python_names_them() -> None:
    sources = read_tree(ROOT)
    assert "gateway.data" in sources
    assert not [name for name in sources if name.endswith("__init__")]
