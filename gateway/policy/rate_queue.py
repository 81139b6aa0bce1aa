"""Who waits for a vendor's window, and who goes next: fair between callers, bounded.

A caller with a hundred waiting requests and one with a single request take turns, so
that nobody's flood delays everybody. There is one line for each bucket, and one bound
for all of them.

Rule 1: whoever waits is released once or cancelled once, and is never lost.
Rule 2: whose turn came in vain goes before all others, in order of arrival.
Rule 3: this module knows no clock: `Rates.room` says how many may go, the shell says when.
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Ticket(Generic[T]):
    """One waiting request: `line` is what it waits for, `item` what the shell wakes it by.

    `caller` is None when its turn has come before; `number` rises with each arrival.
    """

    line: Hashable
    caller: str | None
    item: T
    number: int


class RateQueue(Generic[T]):
    """At most `most` waiting requests (`rates.max_queue`), but for those that come back."""

    __slots__ = ("_lines", "_most", "_number", "_size")

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._number = 0
        # By line, by caller; the caller whose turn it is stands first, and None before all.
        self._lines: dict[Hashable, OrderedDict[str | None, deque[Ticket[T]]]] = {}

    def enter(self, line: Hashable, caller: str, item: T) -> Ticket[T] | None:
        """Wait at the end of a caller's turn; None when the queue is full."""
        if self._size >= self._most:
            return None
        self._number += 1
        ticket = Ticket(line, caller, item, self._number)
        callers = self._lines.setdefault(line, OrderedDict())
        callers.setdefault(caller, deque()).append(ticket)
        self._size += 1
        return ticket

    def enter_again(self, ticket: Ticket[T], item: T) -> Ticket[T]:
        """Wait once more with a ticket that was released, and let nobody go for it."""
        again = replace(ticket, caller=None, item=item)
        callers = self._lines.setdefault(ticket.line, OrderedDict())
        insort(callers.setdefault(None, deque()), again, key=_arrival)
        callers.move_to_end(None, last=False)
        self._size += 1
        return again

    def release(self, line: Hashable, room: int) -> list[Ticket[T]]:
        """Take out the next `room` requests of a line, in turns between its callers."""
        released: list[Ticket[T]] = []
        callers = self._lines.get(line)
        while callers and len(released) < room:
            caller, tickets = next(iter(callers.items()))
            released.append(tickets[0])
            if caller is not None:
                callers.move_to_end(caller)
            self._take(tickets[0])
        return released

    def cancel(self, ticket: Ticket[T]) -> bool:
        """Take a request out; False when it is out already."""
        callers = self._lines.get(ticket.line)
        if callers is None or ticket not in callers.get(ticket.caller, ()):
            return False
        self._take(ticket)
        return True

    def waits(self, line: Hashable) -> bool:
        """Tell whether anybody waits in a line; whoever comes then enters it, too."""
        return line in self._lines

    def __len__(self) -> int:
        return self._size

    def _take(self, ticket: Ticket[T]) -> None:
        callers = self._lines[ticket.line]
        callers[ticket.caller].remove(ticket)
        self._size -= 1
        if not callers[ticket.caller]:
            del callers[ticket.caller]
        if not callers:
            del self._lines[ticket.line]


def _arrival(ticket: Ticket[T]) -> int:
    return ticket.number
