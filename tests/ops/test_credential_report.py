"""What operators are told of credentials."""

import json

from gateway.credentials.tokens import Status
from gateway.ops.credential_report import CredentialReport

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
