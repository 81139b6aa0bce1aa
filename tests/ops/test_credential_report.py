"""What operators are told of credentials."""

import json
from dataclasses import asdict
from typing import Any

from gateway.credentials.tokens import Status
from gateway.ops.credential_report import CredentialReport, merge_documents, merge_notes

WELL = Status("jwt", 3, 4600.0, "obtained", 1000.0)
ILL = Status("ringcx", outcome="throttled", outcome_at=1000.0, retry_at=1030.0, reason="429")


def test_a_document_has_every_credential_and_the_store() -> None:
    report = CredentialReport(lambda: {"rc": WELL, "cx": ILL}, lambda: "redis is away")
    document = json.loads(json.dumps(report.document()))
    assert document["store"] == {"trouble": "redis is away"}
    assert document["credentials"]["rc"] == {
        "grant": "jwt",
        "generation": 3,
        "expires_at": 4600.0,
        "outcome": "obtained",
        "outcome_at": 1000.0,
        "retry_at": None,
        "reason": "",
    }
    assert document["credentials"]["cx"]["retry_at"] == 1030.0


def test_notes_say_what_is_in_trouble_and_nothing_of_what_is_well() -> None:
    report = CredentialReport(lambda: {"rc": WELL, "cx": ILL}, lambda: None)
    assert report.notes() == {"credential rc": None, "credential cx": "429", "store": None}


def told(generation: int, outcome_at: float | None, trouble: str | None = None) -> dict[str, Any]:
    status = asdict(Status("jwt", generation, outcome_at=outcome_at))
    return {"credentials": {"one": status}, "store": {"trouble": trouble}}


def test_of_several_processes_the_latest_news_is_shown() -> None:
    merged = merge_documents([told(1, 9.0), told(2, 5.0), told(2, 4.0, "away"), told(2, None)])
    assert merged == {"credentials": told(2, 5.0)["credentials"], "store": {"trouble": "away"}}
    assert merge_documents([]) == {"credentials": {}, "store": {"trouble": None}}


def test_well_is_what_is_well_for_every_process() -> None:
    notes = merge_notes([{"store": None, "credential a": None}, {"store": "away"}, {"store": None}])
    assert notes == {"store": "away", "credential a": None}
