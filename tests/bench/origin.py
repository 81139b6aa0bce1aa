"""The origin behind every proxy: nginx, which answers as the vendor does.

Small answers come from memory, large ones by sendfile; an upload is answered when its
last byte is here. `/seen` says what arrived, so that a peer can be held to its job.

Rule: the origin must never be what a figure measures; it has little to do and C to do it.
"""

from __future__ import annotations

import json
import urllib.request
from itertools import cycle
from pathlib import Path

from gateway.simulator.answers import render_document
from gateway.simulator.mailbox import render_message
from gateway.simulator.seeds import sow
from tests.bench.machine import MIB

BASE = "/restapi/v1.0/account/~/extension/~"
MESSAGE = "402406984008"
SMALL = f"{BASE}/message-store/{MESSAGE}"
SEEN = "/restapi/v1.0/bench/seen"
UPLOAD = "/restapi/v1.0/bench/upload"
PAGE = "/restapi/v1.0/bench/page.json"
PAGE_BYTES = 65536
STATUS = "/bench-status"
SIZES = {"1m": MIB, "64m": 64 * MIB}
_SEEN_JSON = (
    '{"method":"$request_method","agent":"$http_user_agent",'
    '"authorization":"$http_authorization","override":"$http_x_http_method_override"}'
)


def large(name: str) -> str:
    """Return the target of a large answer, by a name in `SIZES`."""
    return f"/restapi/v1.0/bench/{name}.bin"


def message(port: int) -> str:
    """Return an answer of about 400 bytes, as the vendor's, with two URIs of this origin."""
    uri = f"http://127.0.0.1:{port}{SMALL}"
    return json.dumps(
        {
            "uri": uri,
            "id": 402406984008,
            "to": [{"phoneNumber": "+18442130001", "name": "Jane Roe"}],
            "from": {"phoneNumber": "+16505550100", "extensionNumber": "101"},
            "type": "SMS",
            "creationTime": "2026-01-21T14:36:41.000Z",
            "readStatus": "Read",
            "attachments": [{"id": 402406984008, "uri": f"{uri}/content/402406984008"}],
        },
        separators=(",", ":"),
    )


def page(port: int) -> bytes:
    """Return a list of the simulator's messages in its typography, of nearly 64 KiB."""
    origin = f"http://127.0.0.1:{port}"
    body, records = b"", []
    for message in cycle(sow().messages.values()):
        records.append(render_message(message, origin))
        longer = render_document({"uri": f"{origin}{PAGE}", "records": records}).body
        if len(longer) > PAGE_BYTES:
            break
        body = longer
    return body


def config(port: int, folder: Path) -> str:
    """Return nginx.conf of the origin."""
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_max_body_size 0;
  sendfile on;
  tcp_nodelay on;
  {temporary}
  default_type application/json;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {folder}/files;
    add_header Content-Language en-US;
    add_header RCRequestId 7c1f5a6e-6a1b-11ef-9d3a-005056bf7145;
    add_header RoutingKey SJC12P01;
    add_header X-Rate-Limit-Group light;
    add_header X-Rate-Limit-Limit 1000000;
    add_header X-Rate-Limit-Remaining 999999;
    add_header X-Rate-Limit-Window 60;
    location / {{ return 200 '{message(port)}'; }}
    location = {STATUS} {{ stub_status; }}
    location = {SEEN} {{ return 200 '{_SEEN_JSON}'; }}
    location ~ [.]bin$ {{ }}
    location = {PAGE} {{ }}
    location = {UPLOAD} {{
      client_body_buffer_size 65m;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_pass http://127.0.0.1:{port}{SMALL};
    }}
  }}
}}
"""


def write_files(folder: Path, port: int) -> None:
    """Make the large answers, sparse files, which cost no disk; and the page of links."""
    for name, size in SIZES.items():
        path = folder / "files" / large(name).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(size)
    (folder / "files" / PAGE.lstrip("/")).write_bytes(page(port))


def accepted(port: int) -> int:
    """Return how many connections the origin has accepted so far."""
    # S310: the URL is our own, on loopback.
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{STATUS}", timeout=5) as reply:
        return parse_accepted(reply.read().decode("ascii"))


def parse_accepted(text: str) -> int:
    """Return the first figure of stub_status's third line."""
    return int(text.splitlines()[2].split()[0])
