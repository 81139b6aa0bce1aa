import json
from collections.abc import Callable, Mapping

import pytest

from gateway.simulator.accounts import (
    read_account,
    read_extension,
    read_service_info,
    read_version,
    read_versions,
)
from gateway.simulator.answers import Answer
from gateway.simulator.reading import Reading, Wire, parse_wire
from gateway.simulator.seeds import sow
from gateway.simulator.world import ACCOUNT, ACCOUNT_ID, EXTENSION, EXTENSION_ID, World

ORIGIN = "http://h:1"


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        (read_versions, "/restapi"),
        (read_version, "/restapi/v1.0"),
        (read_service_info, f"{ACCOUNT}/service-info"),
        (read_account, ACCOUNT),
        (read_extension, EXTENSION),
    ],
)
def test_a_resource_names_itself_by_the_origin_it_was_asked_at(
    operation: Callable[[World, Reading, Mapping[str, str]], Answer], path: str
) -> None:
    answer = operation(sow(), parse_wire(Wire("GET", "/any"), ORIGIN), {})
    assert answer.status == 200
    assert json.loads(answer.body)["uri"] == f"{ORIGIN}{path}"


def test_account_and_extension_point_at_each_other() -> None:
    reading = parse_wire(Wire("GET", "/any"), ORIGIN)
    account = json.loads(read_account(sow(), reading, {}).body)
    extension = json.loads(read_extension(sow(), reading, {}).body)
    assert account["id"] == ACCOUNT_ID
    assert account["operator"]["uri"] == extension["uri"]
    assert extension["id"] == EXTENSION_ID
    assert extension["account"]["uri"] == account["uri"]


def test_the_versions_list_the_one_version() -> None:
    reading = parse_wire(Wire("GET", "/any"), ORIGIN)
    versions = json.loads(read_versions(sow(), reading, {}).body)["apiVersions"]
    assert versions == [json.loads(read_version(sow(), reading, {}).body)]
