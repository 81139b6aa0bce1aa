"""The configurations of the peers: the same two jobs, in the words of each.

"plain" passes a request on. "norm" is the gateway's own job as far as a peer can be told
it: a POST with `X-HTTP-Method-Override` becomes that method, the override is dropped, and
`User-Agent` and `Authorization` are set. Each peer listens on a port for each job, works
in one thread or process, keeps its connections to the origin, and writes no log.

Rule: a peer gets the settings that its own manual recommends for a proxy that keeps
connections; all else is its default.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

USER_AGENT = "rc-gateway-bench/1.0"
AUTHORIZATION = "Bearer bench-token"
OVERRIDE = "X-HTTP-Method-Override"
# Connections to the origin that a peer may keep: more than any job opens at a time.
KEPT = 1024


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a peer listens for each job, and where the origin does; all on loopback."""

    plain: int
    norm: int
    origin: int


def nginx(ports: Ports, folder: str, *, buffers: str = "") -> str:
    """Return nginx.conf; `buffers` are directives that replace the default buffers."""
    return f"""
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  {_temporary(folder)}
  {buffers}
  map ${_variable(OVERRIDE)} $verb {{ default ${_variable(OVERRIDE)}; "" $request_method; }}
  upstream origin {{
    server 127.0.0.1:{ports.origin};
    keepalive {KEPT};
    keepalive_requests 1000000000;
  }}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  server {{
    listen 127.0.0.1:{ports.plain} backlog=4096;
    location / {{ proxy_pass http://origin; }}
  }}
  server {{
    listen 127.0.0.1:{ports.norm} backlog=4096;
    location / {{
      proxy_pass http://origin;
      proxy_method $verb;
      proxy_set_header Connection "";
      proxy_set_header {OVERRIDE} "";
      proxy_set_header User-Agent "{USER_AGENT}";
      proxy_set_header Authorization "{AUTHORIZATION}";
    }}
  }}
}}
"""


LARGE_BUFFERS = (
    "proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 128k; "
    "client_body_buffer_size 64k;"
)


def haproxy(ports: Ports) -> str:
    """Return haproxy.cfg."""
    return f"""
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend plain
  bind 127.0.0.1:{ports.plain} backlog 4096
  default_backend origin
frontend norm
  bind 127.0.0.1:{ports.norm} backlog 4096
  http-request set-method %[req.hdr({OVERRIDE})] if {{ req.hdr({OVERRIDE}) -m found }}
  http-request del-header {OVERRIDE}
  http-request set-header User-Agent "{USER_AGENT}"
  http-request set-header Authorization "{AUTHORIZATION}"
  default_backend origin
backend origin
  server origin 127.0.0.1:{ports.origin} pool-max-conn {KEPT}
"""


def caddy(ports: Ports) -> str:
    """Return Caddy's configuration in JSON."""
    pass_on = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"127.0.0.1:{ports.origin}"}],
        "transport": {
            "protocol": "http",
            "keep_alive": {"max_idle_conns": KEPT, "max_idle_conns_per_host": KEPT},
        },
    }
    change = {
        "handler": "headers",
        "request": {
            "set": {"User-Agent": [USER_AGENT], "Authorization": [AUTHORIZATION]},
            "delete": [OVERRIDE],
        },
    }
    verb = {"handler": "rewrite", "method": f"{{http.request.header.{OVERRIDE}}}"}
    tunnelled = {"match": [{"header": {OVERRIDE: ["*"]}}], "handle": [verb]}
    servers: dict[str, Any] = {
        "plain": {"listen": [f"127.0.0.1:{ports.plain}"], "routes": [{"handle": [pass_on]}]},
        "norm": {
            "listen": [f"127.0.0.1:{ports.norm}"],
            "routes": [tunnelled, {"handle": [change, pass_on]}],
        },
    }
    for server in servers.values():
        server["automatic_https"] = {"disable": True}
    return json.dumps({"admin": {"disabled": True}, "apps": {"http": {"servers": servers}}})


# A filter in Lua: no filter of Envoy's own changes a method to what a header says.
_ENVOY_NORM = f"""
function envoy_on_request(handle)
  local headers = handle:headers()
  local verb = headers:get("{OVERRIDE.lower()}")
  if verb then
    headers:replace(":method", verb)
    headers:remove("{OVERRIDE.lower()}")
  end
  headers:replace("user-agent", "{USER_AGENT}")
  headers:replace("authorization", "{AUTHORIZATION}")
end
"""


def envoy(ports: Ports) -> str:
    """Return Envoy's static configuration in JSON (which is YAML)."""
    address = _envoy_address(ports.origin)
    cluster = {
        "name": "origin",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "origin",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "circuit_breakers": {"thresholds": [{"max_connections": 8192, "max_requests": 8192}]},
    }
    lua = {
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": _envoy_type("filters.http.lua.v3.Lua"),
            "default_source_code": {"inline_string": _ENVOY_NORM},
        },
    }
    listeners = [_envoy_listener(ports.plain, []), _envoy_listener(ports.norm, [lua])]
    return json.dumps({"static_resources": {"listeners": listeners, "clusters": [cluster]}})


def _envoy_listener(port: int, filters: list[dict[str, Any]]) -> dict[str, Any]:
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": _envoy_type("filters.http.router.v3.Router")},
    }
    route = {"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}
    manager = {
        "@type": _envoy_type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [*filters, router],
    }
    network = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": manager,
    }
    return {
        "name": f"port-{port}",
        "address": _envoy_address(port),
        "filter_chains": [{"filters": [network]}],
    }


def _envoy_address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _envoy_type(name: str) -> str:
    return f"type.googleapis.com/envoy.extensions.{name}"


def _temporary(folder: str) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


def _variable(header: str) -> str:
    return "http_" + header.lower().replace("-", "_")
