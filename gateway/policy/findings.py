"""What the answers to the probes say of the path: which hop blocks or changes what.

The vendor is known by its signs, or by the `Server` of an answer that has one. An answer
from anybody else, or none, means that a hop between us and it did not let a probe pass.

Rule: what cannot be told from the answers is unseen, and never said to be well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from gateway.core.message import ReplyHead
from gateway.core.override import Tunnel
from gateway.errors import GatewayError, show
from gateway.policy.probes import OVERRIDABLE, VERBS, Question
from gateway.policy.signs import Heard, has_own_field, is_json, is_signed, turns_away


class Verdict(StrEnum):
    """What became of a probe; `AVOIDED` is blocked or changed, and harms nothing."""

    OK = "ok"
    AVOIDED = "avoided"
    UNSEEN = "unseen"
    CHANGED = "changed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found out; `hop` is who did it: vendor, middlebox, proxy or network."""

    about: str
    verdict: Verdict
    hop: str
    text: str

    @property
    def is_trouble(self) -> bool:
        """Tell whether it keeps requests from being served."""
        return self.verdict in (Verdict.CHANGED, Verdict.BLOCKED)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who issued the upstream's certificate; `is_public` when the system trusts them itself."""

    issuer: str
    is_public: bool


Answer: TypeAlias = Heard | GatewayError


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was asked of the path to one upstream and heard; `proxy` names the one used.

    When the plain GET got no answer there is no other one.
    """

    upstream: str
    tunnel: Tunnel
    proxy: str
    certificate: Certificate | None
    answers: Mapping[Question, Answer]


def judge(examination: Examination) -> tuple[Finding, ...]:
    """Return what the answers say, in the order in which people read it."""
    answers = examination.answers
    first = answers[Question.GET]
    if isinstance(first, GatewayError):
        return (_unreached(Question.GET.value, first, examination.proxy),)
    tls = _judge_tls(examination.certificate)
    judged = _Judged(first, examination)
    if judged.asks_for_token(answers.values()):
        return (*tls, Finding("GET", Verdict.UNSEEN, "vendor", _NO_CREDENTIAL))
    found = [*tls, judged.judge_first()]
    verbs = [judged.judge(verb.value, answers[verb]) for verb in VERBS]
    channels: list[Finding] = []
    if examination.upstream in OVERRIDABLE:
        channels = _judge_channels(judged, answers)
        verbs, channels = _use_tunnel(examination.tunnel, verbs, channels)
    found += [*verbs, *channels, judged.judge(Question.LONG.value, answers[Question.LONG])]
    if channels:
        found.append(_judge_plus(judged, answers))
    return tuple(found)


def _use_tunnel(
    tunnel: Tunnel, verbs: list[Finding], channels: list[Finding]
) -> tuple[list[Finding], list[Finding]]:
    """Take for avoided what the tunnel goes round, and what nobody needs."""
    used = "" if tunnel == "off" else _CHANNEL[tunnel].value
    detour = next((channel for channel in channels if channel.about == used), None)
    if detour is not None and detour.verdict is Verdict.OK:
        reason = f'tunnel = "{tunnel}" goes round it'
        verbs = [_avoid(verb, reason) if verb.is_trouble else verb for verb in verbs]
    if not any(verb.is_trouble for verb in verbs):
        channels = [
            _avoid(channel, f'tunnel = "{tunnel}" does not use it')
            if channel.is_trouble and channel.about != used
            else channel
            for channel in channels
        ]
    return verbs, channels


def _avoid(finding: Finding, reason: str) -> Finding:
    return replace(finding, verdict=Verdict.AVOIDED, text=f"{finding.text}; {reason}")


_CHANNEL = {"header": Question.HEADER, "query": Question.QUERY}


_NO_CREDENTIAL = (
    "401 from the vendor to every question: nothing else could be judged, because they are asked "
    "without a credential"
)


class _Judged:
    """Judges answers by the first one, that to a plain GET."""

    def __init__(self, first: Heard, examination: Examination) -> None:
        self._first = first
        self._upstream = examination.upstream
        self._proxy = examination.proxy
        self._is_known = is_signed(first, examination.upstream)

    def is_vendor(self, answer: Heard) -> bool:
        """Tell whether an answer is the vendor's."""
        if is_signed(answer, self._upstream):
            return True
        return self._is_known and self._is_like_first(answer)

    def asks_for_token(self, answers: Iterable[Answer]) -> bool:
        """Tell whether every answer is the vendor's 401."""
        return {self.status(answer) for answer in answers} == {401}

    def judge_first(self) -> Finding:
        """Tell whether the first answer is the vendor's, which no other one tells."""
        first = self._first.head
        if self._is_known:
            return Finding("GET", Verdict.OK, "vendor", f"{first.status} from the vendor")
        text = f"{first.status} from {_name(first)}, without a sign of the vendor"
        verdict = Verdict.UNSEEN if self._may_be_vendor(self._first) else Verdict.BLOCKED
        return Finding("GET", verdict, "middlebox", text)

    def judge(self, about: str, answer: Answer) -> Finding:
        """Tell whether a probe reached the vendor."""
        if isinstance(answer, GatewayError):
            return _unreached(about, answer, self._proxy)
        head = answer.head
        if self.is_vendor(answer):
            return Finding(about, Verdict.OK, "vendor", f"{head.status} from the vendor")
        if self._may_be_vendor(answer):
            text = f"{head.status} from {_name(head)}, as to GET"
            return Finding(about, Verdict.UNSEEN, "middlebox", text)
        text = f"{head.status} from {_name(head)}, which is not the vendor"
        return Finding(about, Verdict.BLOCKED, "middlebox", text)

    def status(self, answer: Answer) -> int:
        """Return the status that the vendor gave, 0 when it gave none."""
        return answer.head.status if isinstance(answer, Heard) and self.is_vendor(answer) else 0

    def _may_be_vendor(self, answer: Heard) -> bool:
        # What is asked for is documented there, and signed; elsewhere nothing is known of it.
        is_documented = self._upstream in OVERRIDABLE
        return not self._is_known and not is_documented and self._is_like_first(answer)

    def _is_like_first(self, answer: Heard) -> bool:
        """Tell whether who gave the first answer may have given this one, without a sign."""
        if turns_away(answer.head.status):
            return False
        first, head = self._first.head, answer.head
        if not self._is_known:
            return _name_of(head) == _name_of(first)
        # A hop that adds Via to the vendor's answers writes it in its own as well.
        if server := head.first(b"server"):
            return server == first.first(b"server")
        return not has_own_field(first) and is_json(head)


def _judge_tls(certificate: Certificate | None) -> Iterator[Finding]:
    if certificate is None:
        return
    text = f"the certificate is issued by {certificate.issuer}"
    if certificate.is_public:
        yield Finding("TLS", Verdict.OK, "vendor", f"{text}, whom this system trusts")
    else:
        text = f"{text}, whom only ca_file trusts: somebody reads along"
        yield Finding("TLS", Verdict.AVOIDED, "middlebox", text)


def _judge_channels(judged: _Judged, answers: Mapping[Question, Answer]) -> list[Finding]:
    """Judge both override channels: each is the other's measure."""
    pairs = (
        (Question.HEADER, Question.HEADER_NONSENSE),
        (Question.QUERY, Question.QUERY_NONSENSE),
    )
    is_read = [_differ(judged, answers[real], answers[nonsense]) for real, nonsense in pairs]
    found = []
    for at, (real, _) in enumerate(pairs):
        finding = judged.judge(real.value, answers[real])
        if finding.verdict is Verdict.OK and not is_read[at]:
            text = f"the vendor answers {judged.status(answers[real])} whatever it says"
            if is_read[1 - at]:
                finding = Finding(
                    real.value, Verdict.CHANGED, "middlebox", f"lost on the way: {text}"
                )
            else:
                finding = Finding(real.value, Verdict.UNSEEN, "vendor", text)
        found.append(finding)
    return found


def _judge_plus(judged: _Judged, answers: Mapping[Question, Answer]) -> Finding:
    about = Question.PLUS.value
    finding = judged.judge(about, answers[Question.PLUS])
    verb, nonsense, escaped, raw = (
        judged.status(answers[question])
        for question in (
            *(Question.QUERY, Question.QUERY_NONSENSE),
            *(Question.PLUS, Question.PLUS_RAW),
        )
    )
    if finding.is_trouble or (escaped == nonsense and escaped != raw == verb):
        return finding
    if verb == escaped != nonsense:
        text = "arrives as a raw plus, which is read as a blank"
        return Finding(about, Verdict.CHANGED, "middlebox", text)
    return Finding(about, Verdict.UNSEEN, "vendor", "the vendor's answers do not tell it from '+'")


def _differ(judged: _Judged, real: Answer, nonsense: Answer) -> bool:
    """Tell whether the vendor gave two different answers."""
    statuses = {judged.status(real), judged.status(nonsense)}
    return len(statuses) == 2 and 0 not in statuses


def _unreached(about: str, error: GatewayError, proxy: str) -> Finding:
    hop = "proxy" if proxy and proxy in error.message else "network"
    return Finding(about, Verdict.BLOCKED, hop, error.message)


def _name(head: ReplyHead) -> str:
    """Return what an answer says of who made it."""
    name = _name_of(head)
    return f"'{show(name)}'" if name else "something without a name"


def _name_of(head: ReplyHead) -> bytes:
    """Return the Server of an answer, or else the last hop that it came by."""
    return head.first(b"server") or next(reversed(head.values(b"via")), b"")
