"""Lists: the `uri`, `records`, `paging` and `navigation` blocks.

Every `uri` here is absolute and repeats the query that made the list, so a client that
follows `navigation.nextPage.uri` keeps its filters. As with the vendor, `:` stays plain
in those queries while `+` is always `%2B`. Method overrides and tokens are not repeated.
A page after the last one is empty and valid.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from gateway.simulator.faults import Document
from gateway.simulator.filters import integer
from gateway.simulator.reading import Pairs

T = TypeVar("T")

DEFAULT_PER_PAGE = 100
MAX_PER_PAGE = 1000
_MAX_PAGE = 10**9
_OWN = frozenset({"_method", "access_token", "page", "perPage"})


def render_query(query: Pairs) -> str:
    """Write pairs as a query, in the vendor's spelling."""
    return "&".join(f"{_escape(name)}={_escape(value)}" for name, value in query)


def render_list(
    base: str, query: Pairs, items: Sequence[T], render: Callable[[T], Document]
) -> Document:
    """Cut one page out of `items` and describe the others. Raises Fault."""
    page = integer(query, "page", 1, low=1, high=_MAX_PAGE)
    size = integer(query, "perPage", DEFAULT_PER_PAGE, low=1, high=MAX_PER_PAGE)
    kept = tuple(pair for pair in query if pair[0] not in _OWN)
    last = max(1, -(-len(items) // size))

    def link(number: int) -> str:
        pages = (("page", str(number)), ("perPage", str(size)))
        return f"{base}?{render_query((*kept, *pages))}"

    shown = items[(page - 1) * size : page * size]
    return {
        "uri": link(page),
        "records": [render(item) for item in shown],
        "paging": _paging(page, last, size, len(items), len(shown)),
        "navigation": {name: {"uri": link(to)} for name, to in _neighbours(page, last).items()},
    }


def _escape(text: str) -> str:
    return quote(text, safe=":~,", errors="replace")


def _paging(page: int, last: int, size: int, total: int, shown: int) -> Document:
    start = (page - 1) * size
    bounds = {"pageStart": start, "pageEnd": start + shown - 1} if shown else {}
    return {"page": page, "totalPages": last, "perPage": size, "totalElements": total, **bounds}


def _neighbours(page: int, last: int) -> dict[str, int]:
    found = {"firstPage": 1}
    if page < last:
        found["nextPage"] = page + 1
    if 1 < page <= last:
        found["previousPage"] = page - 1
    return {**found, "lastPage": last}
