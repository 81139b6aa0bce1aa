"""The store that the configuration asks for, and no package that it does not need."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.config.stores import StoresConfig
from gateway.errors import ConfigError
from gateway.stores.file import FileStore
from gateway.stores.memory import MemoryStore
from gateway.stores.open import open_store
from gateway.stores.redis import RedisStore
from gateway.stores.sealed import Sealed
from gateway.stores.store import Store
from tests.stores.telling import Told


def opened(environ: dict[str, str] | None = None, **table: Any) -> Store:
    return open_store(StoresConfig(**table), environ or {}, Told())


async def test_each_setting_makes_its_store(file_path: Path) -> None:
    assert isinstance(opened(), MemoryStore)
    assert isinstance(opened(file=str(file_path)), FileStore)
    redis = opened(redis="redis://127.0.0.1:1/0")
    assert isinstance(redis, RedisStore)
    await redis.close()
    assert isinstance(opened({"KEY": "ab" * 32}, file=str(file_path), key="env:KEY"), Sealed)


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ({"redis": "env:REDIS_URL"}, "stores.redis"),
        ({"file": "/x/tokens.json", "key": "env:KEY"}, "stores.key"),
    ],
)
def test_a_secret_that_is_gone_is_a_problem_of_the_configuration(
    table: dict[str, Any], path: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        opened(**table)
    (problem,) = refused.value.problems
    assert problem.path == path
    assert "is not set" in problem.message


def test_what_is_not_configured_is_not_imported(file_path: Path) -> None:
    program = (
        "import sys\n"
        "from gateway.config.stores import StoresConfig\n"
        "from gateway.stores.open import open_store\n"
        f"open_store(StoresConfig(file={str(file_path)!r}), {{}}, None)\n"
        "print({'redis', 'cryptography'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")
