"""gateway/core/target.py."""

import re
import string
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.target import Authority, Target, parse_authority, parse_target, read_path
from gateway.errors import BadRequest
from tests.core.vectors import Case, attempt, bytes_of, name_of, read_vectors

# RFC 3986 section 3.3, spelled out once more; and the brackets of the contract.
PATH_BYTES = frozenset((string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@/[]").encode())
HARD_PIECES = [
    *(b".", b"..", b"...", b"a", b"Z", b"9", b"~", b";", b";x", b":", b"[", b"//", b"/"),
    *(b"%2e", b"%2E", b"%252e", b"%25252e", b"%2f", b"%252f", b"%5c", b"%255C", b"%3b", b"%253b"),
    *(b"%00", b"%2500", b"%7f", b"%80", b"%ff", b"%25ff", b"%25", b"%2525", b"%c3%a9"),
    *(b"%", b"%4", b"%zz", b"\\", b" ", b"\x00", b"\xff", b"#", b"?", b"?a=b", b"@"),
]
hard_paths = st.lists(st.sampled_from(HARD_PIECES), max_size=8).map(lambda p: b"/" + b"".join(p))
targets = st.one_of(
    hard_paths,
    hard_paths.map(lambda path: b"http://localhost:8080" + path),
    st.binary(max_size=40),
    st.binary(max_size=40).map(lambda rest: b"/" + rest),
    st.binary(max_size=40).map(lambda rest: b"https://" + rest),
)


@pytest.mark.parametrize("case", read_vectors("core_target"), ids=name_of)
def test_a_target_has_one_reading_or_is_refused(case: Case) -> None:
    raw = bytes_of(case["target"])
    if "refused" in case:
        with pytest.raises(BadRequest) as caught:
            parse_target(raw)
        assert case["refused"] in caught.value.message
        return
    target = parse_target(raw)
    assert target.render() == raw
    assert target.path == bytes_of(case["path"])
    assert target.query == (bytes_of(case["query"]) if "query" in case else None)
    host, *port = case.get("authority", [None])
    assert target.authority == (Authority(bytes_of(host), *port) if host else None)


@pytest.mark.parametrize("case", read_vectors("core_target", "reading"), ids=name_of)
def test_policy_compares_what_a_careless_upstream_might_understand(case: Case) -> None:
    path = bytes_of(case["path"])
    if "refused" in case:
        with pytest.raises(BadRequest, match=case["refused"]):
            read_path(path)
    else:
        assert read_path(path) == bytes_of(case["reading"])


@pytest.mark.parametrize("byte", range(256))
def test_a_raw_byte_of_a_path_is_a_pchar_a_slash_or_a_bracket(byte: int) -> None:
    raw = b"/a" + bytes([byte]) + b"b"
    if byte in PATH_BYTES or byte == ord("?"):
        assert parse_target(raw).render() == raw
    else:
        with pytest.raises(BadRequest, match=r"send it as|send %25"):
            parse_target(raw)


@given(targets)
@example(b"/?")
def test_an_accepted_target_comes_back_byte_for_byte_and_nothing_but_bad_request_is_raised(
    raw: bytes,
) -> None:
    target = attempt(parse_target, raw)
    if isinstance(target, Target):
        assert target.render() == raw
    else:
        assert isinstance(target, BadRequest)


def has_dot_segment(path: bytes) -> bool:
    """The contract's sentence once more, with the standard library's decoder."""
    for _ in range(3):
        for segment in path.replace(b"\\", b"/").split(b"/"):
            if segment.split(b";")[0] in (b".", b".."):
                return True
            if (
                len(segment) > 2
                and segment.startswith(b"..")
                and segment[2] in {0, *range(128, 256)}
            ):
                return True
        path = unquote_to_bytes(path)
    return False


@given(hard_paths)
def test_a_path_is_accepted_when_its_bytes_are_legal_and_no_segment_is_dots(path: bytes) -> None:
    path = path.partition(b"?")[0]
    is_legal = PATH_BYTES.issuperset(re.sub(rb"%[0-9A-Fa-f]{2}", b"", path))
    if is_legal and not has_dot_segment(path):
        assert parse_target(path).path == path
    else:
        with pytest.raises(BadRequest):
            parse_target(path)


@given(hard_paths)
def test_a_reading_reads_as_itself(path: bytes) -> None:
    reading = attempt(read_path, path)
    if isinstance(reading, bytes):
        assert read_path(reading) == reading
        assert unquote_to_bytes(reading) == reading
    else:
        assert reading.message == "the path is percent-encoded more than twice"


@given(st.one_of(st.binary(max_size=20), st.from_regex(rb"\[[0-9a-fA-F:.]{0,20}\](:[0-9]*)?")))
def test_an_authority_is_read_or_refused_and_never_fails(raw: bytes) -> None:
    authority = attempt(parse_authority, raw)
    if isinstance(authority, Authority):
        assert raw.lower().startswith(authority.host)
        assert authority.port is None or 0 < authority.port < 65536
    else:
        assert isinstance(authority, BadRequest)


def test_a_password_in_a_url_is_not_shown() -> None:
    with pytest.raises(BadRequest) as caught:
        parse_target(b"http://user:hunter2@localhost/")
    assert "hunter2" not in caught.value.message


def test_a_target_prints_no_byte_of_itself() -> None:
    shown = "Target(path of 7 bytes, query=True)"
    assert repr(parse_target(b"/secret?access_token=x")) == shown
    assert repr(parse_target(b"/secret?")) == shown
    assert repr(Target(b"/secret")) == "Target(path of 7 bytes, query=False)"


def test_a_long_hostile_path_costs_linear_time() -> None:
    for piece in (b"%25", b"..;", b";/", b"%2f", b"a"):
        with pytest.raises(BadRequest):
            parse_target(b"/" + piece * 100_000 + b"\x00")
