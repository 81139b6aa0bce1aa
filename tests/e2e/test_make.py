"""What `make` does with a virtual environment that is there already."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What the `make` that runs the tests was told is not for this one.
TOLD = ("PYTHON", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
MADE = '"$python" -m venv --clear .venv'
BEFORE = 1_000_000_000


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout in which everything is installed, so far as `make` can see."""
    folder = tmp_path / "a checkout"
    for name in ("Makefile", "pyproject.toml", "tools", "deploy"):
        source, target = ROOT / name, folder / name
        folder.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
    for path in folder.rglob("*"):
        os.utime(path, (BEFORE, BEFORE))
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    python = binaries / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (binaries / "rc-gateway").write_text(f"#!{python}\n")
    (folder / ".venv" / "run.stamp").touch()
    return folder


def install(checkout: Path) -> str:
    """Return what `make install` would do."""
    command = ["make", "--dry-run", "install"]
    environ = {name: value for name, value in os.environ.items() if name not in TOLD}
    done = subprocess.run(command, cwd=checkout, env=environ, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode()


def test_what_is_installed_is_left_alone(checkout: Path) -> None:
    assert "Nothing to be done" in install(checkout)


def test_a_checkout_that_was_moved_gets_an_environment_of_its_own(checkout: Path) -> None:
    moved = checkout.rename(checkout.with_name("moved"))
    steps = install(moved)
    assert ".venv was made in another folder: it is made anew" in steps
    assert steps.index(MADE) < steps.index("--editable .")


def test_an_environment_without_pip_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv" / "bin" / "python").write_text("#!/bin/sh\nexit 1\n")
    steps = install(checkout)
    assert ".venv is not whole, or of another Python: it is made anew" in steps
    assert steps.index(MADE) < steps.index("--editable .")


def test_an_environment_whose_interpreter_is_gone_is_made_anew(checkout: Path) -> None:
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert MADE in install(checkout)


def test_without_an_environment_one_is_made(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    steps = install(checkout)
    assert MADE in steps
    assert "anew" not in steps
