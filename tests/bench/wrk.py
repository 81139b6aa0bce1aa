"""Closed-loop load by Debian's `wrk`: as many requests as a number of connections can carry.

Rule: what wrk prints is parsed strictly; what it calls an error is counted as a failure.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench.configs import OVERRIDE
from tests.bench.origin import MESSAGE, SMALL
from tests.bench.peers import environment

_DONE = re.compile(r"^\s*(\d+) requests in ([\d.]+)(us|ms|s|m), ", re.MULTILINE)
_ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}

# Two requests: a DELETE without a body and a PUT with one, both as the POST that their override
# makes of them, with a credential that has to go.
_REQUESTS = f"""
local common = {{
  ["Host"] = "127.0.0.1",
  ["User-Agent"] = "RingCentral-SDK/4.2",
  ["Authorization"] = "Bearer of-the-caller",
  ["Accept"] = "application/json",
}}
local function make(verb, body)
  local headers = {{ ["{OVERRIDE}"] = verb, ["Content-Type"] = "application/json" }}
  for name, value in pairs(common) do headers[name] = value end
  headers["Content-Length"] = tostring(#body)
  return wrk.format("POST", "{SMALL}", headers, body)
end
local requests, turn = {{}}, 0
function init(args)
  requests[0] = make("DELETE", "")
  requests[1] = make("PUT", '{{"readStatus":"Read"}}')
end
"""
# In turn.
NORM_LUA = f"""{_REQUESTS}
function request()
  turn = 1 - turn
  return requests[turn]
end
"""
# The same, each for a message of its own; another run does not ask for the same ones.
FRESH_LUA = f"""{_REQUESTS}
local number = (os.time() % 9999) * 10000000
function request()
  turn, number = 1 - turn, number + 1
  return (string.gsub(requests[turn], "{MESSAGE}", string.format("4%011d", number), 1))
end
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a run did: requests answered, seconds it took, requests that failed."""

    requests: int
    seconds: float
    failed: int


def run(
    url: str, core: int, seconds: int, connections: int, *, script: Path | None, close: bool
) -> Tally:
    """Load a URL for some seconds; `close` wants a new connection per request."""
    command = [
        *("taskset", "--cpu-list", str(core), "wrk", "--threads", "1", "--timeout", "5s"),
        *("--connections", str(connections), "--duration", f"{seconds}s"),
        *(("--script", str(script)) if script else ()),
        *(("--header", "Connection: close") if close else ()),
        *("--header", "Accept: application/json", "--header", "Host: 127.0.0.1"),
        url,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + 30, env=environment(), check=True
    )
    return parse(done.stdout)


def parse(text: str) -> Tally:
    """Read wrk's report; raise ValueError when it is none."""
    done = _DONE.search(text)
    if done is None:
        raise ValueError(f"wrk said: {text[-200:]!r}")
    errors = _ERRORS.search(text)
    refused = _REFUSED.search(text)
    failed = sum(map(int, errors.groups())) if errors else 0
    failed += int(refused[1]) if refused else 0
    return Tally(int(done[1]), float(done[2]) * _UNITS_S[done[3]], failed)
