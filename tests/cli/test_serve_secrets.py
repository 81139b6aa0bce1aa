"""What a served gateway writes never holds a secret, whatever the requests look like."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

SECRET = b"s3cr3t"
HEAD = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
FIELDS = (
    b"Authorization: Bearer s3cr3t\r\nCookie: a=s3cr3t\r\nX-Auth-Token: s3cr3t\r\n"
    b"Proxy-Authorization: s3cr3t\r\n"
)
REQUESTS = [
    b"GET /restapi/v1.0/account/~?access_token=s3cr3t&a=s3cr3t" + HEAD + FIELDS + b"\r\n",
    b"GET /restapi/v1.0/account/~?a=s3cr3t|" + HEAD + FIELDS + b"\r\n",
    b"DELETE /api/auth/logout/s3cr3t" + HEAD + b"\r\n",
    b"DELETE /%61pi/v1/admin/token/s3cr3t" + HEAD + b"\r\n",
    b"GET /nobody/password/reset/p/s3cr3t" + HEAD + b"\r\n",
    b"GET http://u:s3cr3t@127.0.0.1/nobody?s3cr3t=s3cr3t" + HEAD + b"\r\n",
    b"GET http://127.0.0.1/nobody/password/reset/p/s3cr3t" + HEAD + b"\r\n",
    b"POST /restapi?_method=s3cr3t" + HEAD + FIELDS + b"\r\n",
    b"GET /restapi#s3cr3t" + HEAD + b"\r\n",
    b"GET /restapi" + HEAD + b"Authorization : s3cr3t\r\n\r\n",
    b"GET /restapi" + HEAD + b"Authorization: s3cr3t\x00\r\n\r\n",
    b"GET /restapi" + HEAD + b"Content-Length: s3cr3t\r\n\r\n",
    b"POST /restapi" + HEAD + FIELDS + b"Content-Length: 99\r\n\r\npassword=s3cr3t",
    b"POST /restapi" + HEAD + b"Transfer-Encoding: chunked\r\n\r\ns3cr3t\r\n",
]


@pytest.fixture
def gateway() -> Iterator[subprocess.Popen[bytes]]:
    settings = ("listener.bind=127.0.0.1:0", "ops.bind=127.0.0.1:0", "log.level=debug")
    words = [sys.executable, "-X", "dev", "-m", "gateway", "serve", "--simulator"]
    words += [word for setting in settings for word in ("--set", setting)]
    environ = {**os.environ, "RC_APP_CLIENT_SECRET": "s3cr3t", "RC_USER_JWT": "s3cr3t"}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ
    ) as process:
        yield process
        process.kill()


def read_port(gateway: subprocess.Popen[bytes]) -> int:
    assert gateway.stdout is not None
    for line in gateway.stdout:
        if b'"event":"listening"' in line:
            return int(json.loads(line)["binds"][0].rpartition(":")[2])
    raise AssertionError("it ended before it listened")


def send(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_no_planted_secret_is_written(gateway: subprocess.Popen[bytes]) -> None:
    port = read_port(gateway)
    for request in REQUESTS:
        send(port, request)
    gateway.send_signal(signal.SIGTERM)
    output, _ = gateway.communicate(timeout=30)
    assert gateway.returncode == 0
    assert output.count(b'"event":"request"') == len(REQUESTS)
    assert SECRET not in output, [line for line in output.splitlines() if SECRET in line]
    assert b"Traceback" not in output
