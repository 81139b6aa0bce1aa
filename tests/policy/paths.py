"""What the tests of the doctor's judgement share: the vectors, each as an examination."""

from collections.abc import Mapping
from typing import Any

from gateway.core.framing import NO_BODY
from gateway.errors import UpstreamBroken
from gateway.policy.findings import Answer, Certificate, Examination
from gateway.policy.probes import Question, make_probes
from gateway.policy.signs import Heard
from tests.policy.world import vectors_of
from tests.replies import reply_head

CASES = vectors_of("policy_doctor")
# An override that the vendor reads makes a method that is not there, or nonsense.
WELL = {
    **dict.fromkeys(("GET", "HEAD", "LONG"), "200"),
    **dict.fromkeys(("PUT", "PATCH", "DELETE", "HEADER", "QUERY", "PLUS_RAW"), "405"),
    **dict.fromkeys(("HEADER_NONSENSE", "QUERY_NONSENSE", "PLUS"), "400"),
}
JSON = (b"content-type", b"Application/JSON")
VENDOR = ((b"Server", b"nginx"), (b"RCRequestId", b"1"), (b"Content-Type", b"application/json"))
ERROR = b'{ "errorCode" : "CMN-1", "message" : "No" }'
VERSIONS = b'{"uri":"https://x/restapi/","apiVersions":[]}'


def answer_of(text: str) -> Answer:
    status, _, who = text.partition(" ")
    if status == "!":
        return UpstreamBroken(who)
    kind, _, name = who.partition(" ")
    fields, start = {
        "": (VENDOR, b""),
        "json": ((JSON,), b'{"error":"blocked by policy"}'),
        "bare": ((JSON,), ERROR if int(status) >= 400 else VERSIONS),
        "via": (((b"Via", b"1.0 other"), (b"Via", name.encode())), b""),
        "-": ((), b""),
    }.get(kind, (((b"server", kind.encode()), (b"Content-Type", b"text/html")), b""))
    return Heard(reply_head(int(status), b"", b"HTTP/1.1", fields, NO_BODY), start)


def examination_of(case: Mapping[str, Any]) -> Examination:
    upstream = case.get("upstream", "platform")
    given = WELL | case.get("answers", {})
    if every := case.get("every"):
        given = dict.fromkeys((each.name for each in Question), every) | case.get("answers", {})
    asked = [probe.question for probe in make_probes(upstream)]
    answers: dict[Question, Answer] = {each: answer_of(given[each.name]) for each in asked}
    if error := case.get("error"):
        failed = UpstreamBroken(error["message"], proxy_error=error["kind"])
        answers = {Question.GET: failed}
    issuer = case.get("issuer")
    certificate = Certificate(issuer, case.get("is_public", False)) if issuer else None
    tunnel = case.get("tunnel", "off")
    return Examination(upstream, tunnel, case.get("proxy", ""), certificate, answers)
