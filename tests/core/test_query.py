"""gateway/core/query.py."""

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.query import (
    MAX_NAMES,
    Finding,
    Mode,
    Profile,
    QueryRules,
    check_query,
    cut_pairs,
    find_pairs,
    names_in,
)
from gateway.errors import BadQuery, BadRequest, Refused
from tests.core.vectors import Case, attempt, bytes_of, name_of, read_vectors

STRICT = [QueryRules(profile, Mode.REJECT, Mode.REJECT) for profile in Profile]


def rules_of(case: Case) -> QueryRules:
    return QueryRules(
        Profile(case.get("profile", "ringcentral")),
        Mode(case.get("mode", "reject")),
        Mode(case.get("plus", "report")),
    )


@pytest.mark.parametrize("case", read_vectors("core_query"), ids=name_of)
def test_a_query_passes_is_repaired_or_is_refused(case: Case) -> None:
    raw, rules = bytes_of(case["query"]), rules_of(case)
    if "code" in case:
        with pytest.raises(Refused) as caught:
            check_query(raw, rules)
        assert caught.value.code == case["code"]
        assert case["reason"] in caught.value.message
        assert caught.value.parameter == case.get("parameter")
        return
    sent, findings = check_query(raw, rules)
    assert sent == bytes_of(case["sent"] if "sent" in case else case["query"])
    assert [str(finding) for finding in findings] == case.get("findings", [])


def test_the_defaults_are_the_contracts() -> None:
    assert QueryRules() == rules_of({})


pieces = st.sampled_from(
    [
        *(b"&", b"=", b"a", b"orderBy", b"+", b"+1650555", b"650555", b",", b"%2C", b"%2B", b"%"),
        *(b"%4", b"%41", b"%%", b"~", b"/", b"?", b"[", b"]", b'"', b"|", b"\xff", b":", b"%3A"),
        *(b"2024-01-01T00:00", b"2024-01-01T00%3A", b"+04:00", b"+04", b";", b"{", b"\x00", b" "),
    ]
)
queries = st.one_of(st.lists(pieces, max_size=10).map(b"".join), st.binary(max_size=20))
rules = st.builds(
    QueryRules, st.sampled_from(Profile), st.sampled_from(Mode), st.sampled_from(Mode)
)
Checked = tuple[bytes, tuple[Finding, ...]]


@given(queries, rules)
def test_an_accepted_query_comes_back_byte_for_byte_unless_it_is_repaired(
    raw: bytes, rules: QueryRules
) -> None:
    checked = attempt(check_query, raw, rules)
    if not isinstance(checked, tuple):
        assert isinstance(checked, BadQuery | BadRequest)
        return
    sent, findings = checked
    assert all(raw[found.offset : found.offset + 1] == found.seen for found in findings)
    assert all(unquote_to_bytes(found.send) == found.seen for found in findings)
    if Mode.REPAIR not in (rules.mode, rules.plus):
        assert sent == raw


@given(queries, st.sampled_from(Profile), st.sampled_from(Mode), st.sampled_from(Mode))
def test_a_repaired_query_is_accepted_and_repairs_no_further(
    raw: bytes, profile: Profile, mode: Mode, plus: Mode
) -> None:
    checked = attempt(check_query, raw, QueryRules(profile, mode, plus))
    if not isinstance(checked, tuple):
        return
    sent, _ = checked
    strict = QueryRules(
        profile,
        Mode.REJECT if mode is Mode.REPAIR else mode,
        Mode.REJECT if plus is Mode.REPAIR else plus,
    )
    accepted, left = check_query(sent, strict)
    assert accepted == sent
    assert check_query(sent, QueryRules(profile, mode, plus)) == (sent, left)


@given(queries, rules)
def test_a_repair_escapes_the_offending_bytes_and_touches_nothing_else(
    raw: bytes, rules: QueryRules
) -> None:
    checked = attempt(check_query, raw, rules)
    if not isinstance(checked, tuple):
        return
    sent, findings = checked
    modes = {"profile": rules.mode, "plus": rules.plus}
    repaired = {found.offset for found in findings if modes[found.rule] is Mode.REPAIR}
    expected = [b"%%%02X" % byte if at in repaired else b"%c" % byte for at, byte in enumerate(raw)]
    assert sent == b"".join(expected)
    assert unquote_to_bytes(sent) == unquote_to_bytes(raw)


@pytest.mark.parametrize("rules", STRICT, ids=lambda rules: str(rules.profile))
@given(raw=queries)
def test_report_finds_what_reject_refuses(rules: QueryRules, raw: bytes) -> None:
    report = QueryRules(rules.profile, Mode.REPORT, Mode.REPORT)
    refused, reported = attempt(check_query, raw, rules), attempt(check_query, raw, report)
    if isinstance(refused, BadQuery):
        assert isinstance(reported, tuple)
        assert str(reported[1][0]) in refused.message
    elif isinstance(refused, BadRequest):
        assert isinstance(reported, BadRequest)
    else:
        assert reported == refused == (raw, ())


def test_a_message_never_shows_a_value() -> None:
    rules = QueryRules(Profile.RFC1738, Mode.REJECT, Mode.REJECT)
    for raw in (b"token=hunter2|", b"token=|hunter2", b"n=+16505551234", b"token=hunter2 "):
        refused = attempt(check_query, raw, rules)
        assert isinstance(refused, Refused)
        assert "hunter2" not in refused.message
        assert "1650" not in refused.message


def test_a_query_of_nothing_but_bad_bytes_is_told_in_its_first_findings() -> None:
    raw = b"|" * 16384
    _, findings = check_query(raw, QueryRules(mode=Mode.REPORT))
    assert [found.offset for found in findings] == list(range(64))
    sent, findings = check_query(raw, QueryRules(mode=Mode.REPAIR))
    assert sent == b"%7C" * 16384
    assert len(findings) == 64
    with pytest.raises(BadQuery, match=r"^16384 byte\(s\) to escape; byte 0: '\|' must"):
        check_query(raw, QueryRules())


def test_a_name_is_decoded_once() -> None:
    assert find_pairs(b"%5Fmethod%2541=1", b"_method%41") == [b"1"]
    assert find_pairs(b"a+b%zz=1", b"a+b%zz") == [b"1"]


def test_pairs_are_found_by_their_decoded_name_in_order() -> None:
    raw = b"a=1&%61=%32&b=3&a&a==&A=4&a%3D=5"
    assert find_pairs(raw, b"a") == [b"1", b"2", b"", b"="]
    assert find_pairs(raw, b"c") == []
    assert find_pairs(b"b=1", b"a") == []
    assert find_pairs(b"", b"a") == []
    assert find_pairs(None, b"a") == []


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"access_token=x", None),
        (b"access_token=x&a=1", b"a=1"),
        (b"a=1&access_token=x", b"a=1"),
        (b"a=1&access%5Ftoken=x&b=2&access_token", b"a=1&b=2"),
        (b"a=access_token", b"a=access_token"),
        (b"a=%41", b"a=%41"),
        (b"&access_token=x&", b"&"),
        (b"", b""),
        (None, None),
    ],
)
def test_pairs_are_cut_and_the_other_bytes_stay(raw: bytes | None, kept: bytes | None) -> None:
    assert cut_pairs(raw, b"access_token") == kept


@given(queries)
def test_what_is_cut_is_not_found_again(raw: bytes) -> None:
    kept = cut_pairs(raw, b"a")
    assert find_pairs(kept, b"a") == []
    assert cut_pairs(kept, b"a") == kept


def test_the_log_gets_names_and_no_values() -> None:
    assert names_in(b"a=hunter2&%61%0Ab=1&&c=&\xff=2") == ("a", r"a\nb", "c", r"\xff")
    assert names_in(b"") == ()
    assert names_in(None) == ()
    assert names_in(b"a" * 100 + b"=") == ("a" * 80,)


def test_the_log_gets_no_key_that_may_be_a_value() -> None:
    assert names_in(b"hunter2&a=1&hunter2") == ("a",)


def test_the_log_gets_a_bounded_number_of_names() -> None:
    assert names_in(b"a=1&" * 5000) == ("a",) * MAX_NAMES


def test_a_long_hostile_query_costs_linear_time() -> None:
    for piece in (b"+16505551234,", b"2024-01-01T00:00:", b"%2B", b"a&", b"=+&", b"%"):
        raw = b"a=" + piece * 20_000
        checked = attempt(check_query, raw, QueryRules(mode=Mode.REPAIR, plus=Mode.REPAIR))
        assert isinstance(checked, tuple)
