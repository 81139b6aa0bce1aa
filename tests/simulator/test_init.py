import ast
from pathlib import Path

import gateway.simulator
from gateway.simulator import TOKEN, Examples, Running, Seen, start

PACKAGE = Path(gateway.simulator.__file__).parent


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_the_simulator_imports_nothing_of_the_gateway() -> None:
    imports = set[str]().union(*(_imports(path) for path in PACKAGE.rglob("*.py")))
    ours = {name for name in imports if name.split(".")[0] == "gateway"}
    assert all(name.startswith("gateway.simulator") for name in ours)


def test_only_the_server_knows_aiohttp() -> None:
    knowing = {path.name for path in PACKAGE.rglob("*.py") if "aiohttp" in _imports(path)}
    assert knowing == {"server.py"}


async def test_the_package_gives_what_a_caller_needs() -> None:
    running = await start(token=TOKEN)
    await running.close()
    assert isinstance(running, Running)
    assert isinstance(running.examples, Examples)
    assert Seen.__doc__
    assert running.examples.delete_id != running.examples.update_id
