"""When the gateway is ready, and how it says so."""

import pytest

from gateway.ops.health import Health, judge, merge_required, render_verdict


@pytest.mark.parametrize(
    ("health", "verdict"),
    [
        (Health(), {"listener": "not listening", "drain": None}),
        (Health(listening=True), {"listener": None, "drain": None}),
        (Health(listening=True, draining=True), {"listener": None, "drain": "draining"}),
    ],
)
def test_ready_means_listening_and_not_draining(
    health: Health, verdict: dict[str, str | None]
) -> None:
    assert judge(health.checks()) == verdict


def test_checks_follow_the_state_they_were_made_from() -> None:
    health = Health()
    checks = health.checks()
    health.listening = True
    assert judge(checks)["listener"] is None


def test_all_is_well_in_a_word() -> None:
    assert render_verdict({"listener": None}, {}, verbose=False) == (200, "ok\n")
    assert render_verdict({}, {}, verbose=False) == (200, "ok\n")


def test_every_check_is_listed_on_request() -> None:
    assert render_verdict({"listener": None, "drain": None}, {}, verbose=True) == (
        200,
        "[+]listener ok\n[+]drain ok\nreadyz check passed\n",
    )


@pytest.mark.parametrize("verbose", [False, True])
def test_a_failed_check_is_always_listed(verbose: bool) -> None:
    assert render_verdict({"listener": None, "drain": "draining"}, {}, verbose=verbose) == (
        503,
        "[+]listener ok\n[-]drain failed: draining\nreadyz check failed\n",
    )


def test_a_note_is_told_on_request_and_decides_nothing() -> None:
    notes = {"credential ringcentral": None, "store": "redis is away"}
    assert render_verdict({"listener": None}, notes, verbose=False) == (200, "ok\n")
    assert render_verdict({"listener": None}, notes, verbose=True) == (
        200,
        "[+]listener ok\n[+]credential ringcentral ok\n[!]store in trouble: redis is away\n"
        "readyz check passed\n",
    )


def test_what_is_required_is_there_when_one_process_has_it() -> None:
    one, other = {"store": "away", "upstream a": None, "b": "x"}, {"store": None, "upstream a": "y"}
    well = {"store": None, "upstream a": None, "b": "x"}
    assert merge_required([one, other]) == merge_required([other, one]) == well
    assert merge_required([one, one]) == one
    assert merge_required([]) == {}
