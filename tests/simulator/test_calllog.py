import json
from typing import Any

import pytest

from gateway.simulator.calllog import list_calls, read_call
from gateway.simulator.faults import Fault
from gateway.simulator.reading import Reading, Wire, parse_wire
from gateway.simulator.seeds import CALLS, sow
from gateway.simulator.world import ACCOUNT, EXTENSION, EXTENSION_ID, OTHER_EXTENSION_ID

ORIGIN = "http://h:1"
OF_ACCOUNT = {"accountId": "~"}
OF_EXTENSION = {"accountId": "~", "extensionId": "~"}


def _reading(query: str = "") -> Reading:
    return parse_wire(Wire("GET", f"/any?{query}"), ORIGIN)


def _list(query: str = "", ids: dict[str, str] = OF_ACCOUNT) -> Any:
    return json.loads(list_calls(sow(), _reading(query), ids).body)


def test_the_account_sees_every_extension() -> None:
    document = _list()
    assert document["uri"] == f"{ORIGIN}{ACCOUNT}/call-log?page=1&perPage=100"
    assert len(document["records"]) == CALLS
    extensions = {record["extension"]["id"] for record in document["records"]}
    assert extensions == {EXTENSION_ID, OTHER_EXTENSION_ID}


def test_the_extension_sees_its_own_calls() -> None:
    document = _list(ids=OF_EXTENSION)
    assert 0 < len(document["records"]) < CALLS
    for record in document["records"]:
        assert record["extension"]["id"] == EXTENSION_ID
        assert record["uri"] == f"{ORIGIN}{EXTENSION}/call-log/{record['id']}?view=Simple"


def test_pages_are_cut_and_linked() -> None:
    document = _list("perPage=5&page=2")
    assert len(document["records"]) == 5
    assert document["paging"]["totalPages"] == 3
    following = document["navigation"]["nextPage"]["uri"]
    assert following == f"{ORIGIN}{ACCOUNT}/call-log?page=3&perPage=5"


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [("direction=Inbound", "direction", "Inbound"), ("type=Fax", "type", "Fax")],
)
def test_a_filter_keeps_only_what_it_names(query: str, name: str, value: str) -> None:
    records = _list(query)["records"]
    assert 0 < len(records) < CALLS
    assert {record[name] for record in records} == {value}


def test_recorded_calls_have_absolute_content() -> None:
    records = _list("withRecording=true")["records"]
    assert 0 < len(records) < CALLS
    for record in records:
        recording = record["recording"]
        uri = f"{ORIGIN}{ACCOUNT}/recording/{recording['id']}"
        assert (recording["uri"], recording["contentUri"]) == (uri, f"{uri}/content")


def test_without_the_filter_calls_need_no_recording() -> None:
    assert len(_list("withRecording=false")["records"]) == CALLS


def test_a_phone_number_finds_either_party() -> None:
    assert len(_list("phoneNumber=16505550100")["records"]) == CALLS
    assert 0 < len(_list("phoneNumber=%2B442079460133")["records"]) < CALLS


def test_dates_bound_the_list() -> None:
    records = _list("dateFrom=2026-01-25&dateTo=2026-01-28")["records"]
    assert records
    assert all("2026-01-25" <= record["startTime"] < "2026-01-28" for record in records)


def test_a_detailed_view_has_legs() -> None:
    record = _list("view=Detailed")["records"][0]
    assert record["uri"].endswith("?view=Detailed")
    leg = record["legs"][0]
    assert leg["master"] is True
    assert leg["recording"] == record["recording"]


@pytest.mark.parametrize(
    "query", ["view=Full", "direction=x", "type=Call", "withRecording=yes", "dateTo=x"]
)
def test_a_bad_filter_is_refused_by_name(query: str) -> None:
    with pytest.raises(Fault, match="400 CMN-101") as caught:
        _list(query)
    assert caught.value.parameter == query.partition("=")[0]


def test_one_record_is_read_by_its_id() -> None:
    record = _list()["records"][3]
    ids = {**OF_ACCOUNT, "callRecordId": record["id"]}
    assert json.loads(read_call(sow(), _reading(), ids).body) == record


def test_a_record_of_another_extension_is_missing() -> None:
    record = next(call for call in sow().calls if call.extension_id == OTHER_EXTENSION_ID)
    ids = {**OF_EXTENSION, "callRecordId": record.id}
    with pytest.raises(Fault, match="404 CMN-102") as caught:
        read_call(sow(), _reading(), ids)
    assert caught.value.parameter == "callRecordId"
