import pytest

from gateway.simulator.faults import Document, Fault
from gateway.simulator.paging import render_list, render_query
from gateway.simulator.reading import Pairs

BASE = "http://h/list"


def _list(query: Pairs, total: int = 5) -> Document:
    return render_list(BASE, query, range(total), lambda item: {"id": item})


def _page(number: int, size: int, total: int = 5) -> Document:
    return _list((("page", str(number)), ("perPage", str(size))), total)


def test_a_page_in_the_middle_knows_its_neighbours() -> None:
    assert _page(2, 2) == {
        "uri": f"{BASE}?page=2&perPage=2",
        "records": [{"id": 2}, {"id": 3}],
        "paging": {
            "page": 2,
            "totalPages": 3,
            "perPage": 2,
            "totalElements": 5,
            "pageStart": 2,
            "pageEnd": 3,
        },
        "navigation": {
            "firstPage": {"uri": f"{BASE}?page=1&perPage=2"},
            "nextPage": {"uri": f"{BASE}?page=3&perPage=2"},
            "previousPage": {"uri": f"{BASE}?page=1&perPage=2"},
            "lastPage": {"uri": f"{BASE}?page=3&perPage=2"},
        },
    }


@pytest.mark.parametrize(
    ("number", "names"),
    [
        (1, {"firstPage", "nextPage", "lastPage"}),
        (3, {"firstPage", "previousPage", "lastPage"}),
        (4, {"firstPage", "lastPage"}),
    ],
)
def test_only_pages_that_exist_are_linked(number: int, names: set[str]) -> None:
    navigation = _page(number, 2)["navigation"]
    assert isinstance(navigation, dict)
    assert set(navigation) == names


def test_a_page_after_the_last_one_is_empty_and_has_no_bounds() -> None:
    document = _page(4, 2)
    assert document["records"] == []
    assert document["paging"] == {"page": 4, "totalPages": 3, "perPage": 2, "totalElements": 5}


def test_an_empty_list_has_one_page() -> None:
    paging = {"page": 1, "totalPages": 1, "perPage": 100, "totalElements": 0}
    assert _list((), 0)["paging"] == paging


@pytest.mark.parametrize("pair", [("page", "0"), ("perPage", "0"), ("perPage", "1001")])
def test_a_page_that_cannot_be_is_refused_by_name(pair: tuple[str, str]) -> None:
    with pytest.raises(Fault) as caught:
        _list((pair,))
    assert (caught.value.code, caught.value.parameter) == ("CMN-101", pair[0])


def test_links_repeat_the_filters_but_neither_override_nor_token() -> None:
    query = (
        ("messageType", "SMS"),
        ("_method", "GET"),
        ("messageType", "Fax"),
        ("access_token", "t"),
    )
    assert _list(query)["uri"] == f"{BASE}?messageType=SMS&messageType=Fax&page=1&perPage=100"


def test_a_query_keeps_colons_plain_and_hides_plus_and_blank() -> None:
    query = (("dateFrom", "2026-01-01T00:00:00+01:00"), ("q", "a b&\udcff"))
    assert render_query(query) == "dateFrom=2026-01-01T00:00:00%2B01:00&q=a%20b%26%3F"
