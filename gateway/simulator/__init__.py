"""RingCentral in memory: a demonstration, a playground, and the upstream of our tests.

It serves exactly these, and answers 404 CMN-120 to everything else: API versions and
service info, the account, the extension, the message store with its content, the call log.
It is a second opinion: it imports nothing else of `gateway`, reads requests by its own few
lines, and writes down what it saw.

The layers, lowest first: faults, answers, reading, {seen, tokens, groups, windows,
filters, paging, ranges, samples, world}, seeds, {accounts, mailbox, media, calllog},
operations, service, server.
"""

from gateway.simulator.seeds import Examples
from gateway.simulator.seen import Seen
from gateway.simulator.server import TOKEN, Running, start

__all__ = ["TOKEN", "Examples", "Running", "Seen", "start"]
