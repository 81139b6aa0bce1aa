from datetime import UTC, datetime, timedelta, timezone

from gateway.simulator.world import (
    ACCOUNT,
    ACCOUNT_ID,
    EXTENSION,
    EXTENSION_ID,
    render_extension_link,
    render_moment,
)


def test_a_moment_has_milliseconds_and_z() -> None:
    assert render_moment(datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)) == "2026-01-02T03:04:05.678Z"
    east = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    assert render_moment(east) == "2026-01-02T01:00:00.000Z"


def test_canonical_paths_have_ids() -> None:
    assert f"{ACCOUNT}/extension/{EXTENSION_ID}" == EXTENSION
    assert f"/restapi/v1.0/account/{ACCOUNT_ID}" == ACCOUNT


def test_an_extension_link_is_absolute() -> None:
    assert render_extension_link("http://h", 5) == {
        "uri": f"http://h{ACCOUNT}/extension/5",
        "id": 5,
    }
