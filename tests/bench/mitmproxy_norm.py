"""The norm job as an addon of mitmproxy: `mitmdump -s mitmproxy_norm.py --set norm_port=N`."""

from __future__ import annotations

import os
from typing import Any


def request(flow: Any) -> None:
    """Change a request that came to the norm port (mitmproxy calls this)."""
    if flow.client_conn.sockname[1] != int(os.environ["BENCH_NORM_PORT"]):
        return
    headers = flow.request.headers
    verb = headers.pop("X-HTTP-Method-Override", None)
    if verb:
        flow.request.method = verb
    headers["User-Agent"] = os.environ["BENCH_USER_AGENT"]
    headers["Authorization"] = os.environ["BENCH_AUTHORIZATION"]
