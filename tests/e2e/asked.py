"""Kinds of requests, asked of a simulator that writes down what became of each.

The simulator counts by X-Test-Id how often a request arrived and was carried out. What is
removed was sent as a message before, so that there is something to remove each time.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from gateway import simulator
from tests.wire import Running, request

STORE = "/restapi/v1.0/account/~/extension/~/message-store"
SMS = "/restapi/v1.0/account/~/extension/~/sms"
READ = b'{"readStatus":"Read"}'
TEXT = b'{"from":{"phoneNumber":"+16505550100"},"to":[{"phoneNumber":"+16505550101"}],"text":"x"}'
JSON = "Content-Type: application/json"
OVERRIDE = "X-HTTP-Method-Override: DELETE"
IDS: Iterator[int] = count()


@dataclass(frozen=True)
class Kind:
    """A kind of request; `verb` is what the vendor sees, `{message}` stands in a line."""

    line: str
    verb: str
    body: bytes = b""
    fields: tuple[str, ...] = ()

    @property
    def is_idempotent(self) -> bool:
        return self.verb != "POST"

    @property
    def success(self) -> int:
        return 204 if self.verb == "DELETE" else 200


KINDS = {
    "GET": Kind(f"GET {STORE}/{{message}} HTTP/1.1", "GET"),
    "PUT": Kind(f"PUT {STORE}/{{message}} HTTP/1.1", "PUT", READ, (JSON,)),
    "tunnelled PUT": Kind(f"POST {STORE}/{{message}}?_method=PUT HTTP/1.1", "PUT", READ, (JSON,)),
    "tunnelled DELETE": Kind(f"POST {STORE}/{{message}}?_method=DELETE HTTP/1.1", "DELETE"),
    "overridden DELETE": Kind(f"POST {STORE}/{{message}} HTTP/1.1", "DELETE", b"", (OVERRIDE,)),
    "POST": Kind(f"POST {SMS} HTTP/1.1", "POST", TEXT, (JSON,)),
}


@dataclass(frozen=True)
class Ready:
    """A request that can be asked: what it names exists."""

    kind: Kind
    line: str
    name: str

    async def ask(self, gateway: Running) -> int:
        """Return the status, 0 for an answer that was cut."""
        fields = (f"X-Test-Id: {self.name}", *self.kind.fields)
        sent = request(self.line, *fields, body=self.kind.body)
        with suppress(EOFError, ConnectionError):
            return (await gateway.ask(sent))[0]
        return 0


async def prepare(gateway: Running, kind: Kind) -> Ready:
    """Send a message for the request to name; all that follows goes out on a used connection."""
    posted = KINDS["POST"]
    status, _, body = await gateway.ask(request(posted.line, *posted.fields, body=posted.body))
    assert status == 200
    await gateway.gateway.gate.emptied()
    return Ready(kind, kind.line.format(message=json.loads(body)["id"]), f"id-{next(IDS)}")


def carried(upstream: simulator.Running, asked: Ready) -> tuple[int, int]:
    """Return how often a request arrived, and was carried out."""
    arrivals = upstream.control.report()["arrivals"]
    assert isinstance(arrivals, dict)
    seen = arrivals.get(asked.name, {"arrived": 0, "carried_out": 0})
    return seen["arrived"], seen["carried_out"]
