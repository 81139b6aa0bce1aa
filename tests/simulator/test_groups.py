from pathlib import Path

import pytest

from gateway.simulator.groups import Groups


def _find(method: str, path: str) -> str | None:
    return Groups().find(method, tuple(path.split("/")[1:]))


MESSAGE = "/restapi/v1.0/account/~/extension/~/message-store/1"


@pytest.mark.parametrize(
    ("method", "path", "group"),
    [
        ("GET", MESSAGE, "Light"),
        ("HEAD", MESSAGE, "Light"),
        ("DELETE", MESSAGE, "Medium"),
        ("DELETE", f"{MESSAGE},2", "Medium"),
        ("GET", "/restapi/v1.0/account/~/call-log", "Heavy"),
        ("GET", "/restapi/v1.0", "NoThrottling"),
        ("GET", "/restapi/oauth/userinfo", "Auth"),
    ],
)
def test_an_operation_has_the_group_of_its_effective_method(
    method: str, path: str, group: str
) -> None:
    assert _find(method, path) == group


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", MESSAGE), ("GET", "/nowhere"), ("GET", "/restapi/v1.0/account//call-log")],
)
def test_what_is_not_in_the_table_has_no_group(method: str, path: str) -> None:
    assert _find(method, path) is None


def test_fewer_variables_win_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    table = tmp_path / "operations.csv"
    table.write_text("method,path,group,media\nGET,/a/{b},Heavy,\nGET,/a/c,Light,1\n")
    groups = Groups(table)
    assert groups.find("GET", ("a", "c")) == "Light"
    assert groups.find("GET", ("a", "d")) == "Heavy"


def test_a_missing_table_is_found_out_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="operations"):
        Groups(tmp_path / "operations.csv")
