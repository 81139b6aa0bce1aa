"""RingCentral in memory: a demonstration, a playground, and the upstream of our tests.

It serves the account, the extension, the message store, the call log, the authorisation
server and some of Engage, and answers 404 to everything else. It is a second opinion: it
imports nothing else of `gateway`, reads requests by its own few lines, and writes down what
it saw. `control.endpoint` says how a test can move it.

The layers, lowest first: faults, pace, answers, reading, limits, rates, {seen, tokens, groups,
windows, forms, filters, paging, ranges, samples, world}, seeds, {accounts, identity, mailbox,
media, calllog}, {outbox, recordings}, operations, {oauth, control}, {platform, engage},
service, server.
"""

from gateway.simulator.control.desk import Control
from gateway.simulator.engage.digital import DIGITAL_TOKEN
from gateway.simulator.engage.legacy import LEGACY_PASSWORD, LEGACY_TOKEN, LEGACY_USERNAME
from gateway.simulator.oauth.apps import CLIENT_ID, CLIENT_SECRET, JWT, PUBLIC_CLIENT_ID
from gateway.simulator.seeds import Examples
from gateway.simulator.seen import Seen
from gateway.simulator.server import TOKEN, Running, start

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "DIGITAL_TOKEN",
    "JWT",
    "LEGACY_PASSWORD",
    "LEGACY_TOKEN",
    "LEGACY_USERNAME",
    "PUBLIC_CLIENT_ID",
    "TOKEN",
    "Control",
    "Examples",
    "Running",
    "Seen",
    "start",
]
