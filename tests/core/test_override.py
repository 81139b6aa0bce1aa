"""gateway/core/override.py."""

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.headers import Fields
from gateway.core.override import (
    HEADER,
    PARAMETER,
    TUNNELLED,
    Disguised,
    Resolved,
    Tunnel,
    disguise,
    read_override,
    resolve,
)
from gateway.errors import BadOverride, MethodConflict, Refused
from tests.core.vectors import Case, attempt, bytes_of, fields_of, name_of, read_vectors

BOTH = frozenset({"header", "query"})


def query_of(case: Case, key: str = "query") -> bytes | None:
    return bytes_of(case[key]) if case.get(key, "none") != "none" else None


@pytest.mark.parametrize("case", read_vectors("core_override"), ids=name_of)
def test_the_tunnelling_rules(case: Case) -> None:
    method, query = bytes_of(case["method"]), query_of(case)
    fields = ((b"Host", b"a"), *fields_of(case.get("headers", [])))
    accept = frozenset(case.get("accept", BOTH))
    if "code" in case:
        with pytest.raises(Refused) as caught:
            resolve(method, query, read_override(fields), accept)
        assert caught.value.code == case["code"]
        assert case["reason"] in caught.value.message
        assert caught.value.parameter == case.get("parameter")
        return
    sent = query_of(case, "sent") if "sent" in case else query
    channels = tuple(case.get("channels", []))
    assert resolve(method, query, read_override(fields), accept) == Resolved(
        bytes_of(case["effective"]), sent, channels
    )


@pytest.mark.parametrize("case", read_vectors("core_override", "disguise"), ids=name_of)
def test_how_a_verb_leaves(case: Case) -> None:
    disguised = disguise(bytes_of(case["method"]), query_of(case), case["tunnel"])
    assert disguised == Disguised(
        method=bytes_of(case["wire"]),
        query=query_of(case, "sent"),
        fields=fields_of(case.get("fields", [])),
    )


methods = st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"])
verbs = st.sampled_from([b"PUT", b"patch", b"Delete", b"POST", b"GET", b"", b"x", b"PUT,PUT"])
names = st.sampled_from([b"_method", b"%5Fmethod", b"_METHOD", b"a", b"", b"_method%00"])
queries = st.one_of(
    st.none(),
    st.lists(
        st.one_of(st.tuples(names, st.just(b"="), verbs).map(b"".join), st.binary(max_size=5)),
        max_size=4,
    ).map(b"&".join),
)
fields = st.lists(
    st.tuples(
        st.sampled_from([HEADER, HEADER.lower(), b"X-HTTP-Method", b"X-Method-Override", b"A"]),
        verbs,
    ),
    max_size=3,
).map(tuple)


def has_override(query: bytes | None) -> bool:
    pairs = (query or b"").split(b"&")
    return any(unquote_to_bytes(pair.partition(b"=")[0]) == PARAMETER for pair in pairs)


@given(methods, queries, fields)
def test_an_override_is_resolved_or_refused_and_never_lost(
    method: bytes, query: bytes | None, fields: Fields
) -> None:
    resolved = attempt(resolve, method, query, read_override(fields), BOTH)
    if not isinstance(resolved, Resolved):
        assert isinstance(resolved, BadOverride | MethodConflict)
        return
    assert not has_override(resolved.query)
    if resolved.method != method:
        assert method == b"POST"
        assert resolved.method in TUNNELLED
        assert resolved.channels
    # Nothing spoke, or all that spoke said the same.
    said = {value.upper() for name, value in fields if name.lower() == HEADER.lower() and value}
    assert {verb for value in said for verb in value.split(b",")} <= {resolved.method}


@given(methods, queries, fields)
def test_only_the_pair_of_the_override_leaves_the_query(
    method: bytes, query: bytes | None, fields: Fields
) -> None:
    resolved = attempt(resolve, method, query, read_override(fields), BOTH)
    if not isinstance(resolved, Resolved):
        return
    kept = [pair for pair in (query or b"").split(b"&") if not has_override(pair)]
    assert resolved.query == (query if not has_override(query) else b"&".join(kept) or None)


@given(
    st.sampled_from([b"PUT", b"PATCH", b"DELETE"]), queries, st.sampled_from(["header", "query"])
)
def test_what_is_disguised_is_resolved_to_the_same(
    method: bytes, query: bytes | None, tunnel: Tunnel
) -> None:
    if has_override(query):
        return
    disguised = disguise(method, query, tunnel)
    resolved = resolve(disguised.method, disguised.query, read_override(disguised.fields), BOTH)
    assert resolved == Resolved(method, query or resolved.query, (tunnel,))
