"""gateway/core/useragent.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.headers import find_flaw
from gateway.core.useragent import (
    BadUserAgent,
    Product,
    compose_user_agent,
    parse_user_agent,
    render_user_agent,
)
from tests.core.vectors import Case, name_of, read_vectors


@pytest.mark.parametrize("case", read_vectors("core_useragent"), ids=name_of)
def test_a_value_is_products_with_comments_or_shows_where_it_is_bad(case: Case) -> None:
    value = case["value"]
    if "refused" in case:
        with pytest.raises(BadUserAgent) as caught:
            parse_user_agent(value)
        assert caught.value.at == case["at"]
        assert case["refused"] in str(caught.value)
        assert f"at character {case['at'] + 1}: " in str(caught.value)
        return
    products = parse_user_agent(value)
    assert products == tuple(Product(name, tuple(rest)) for name, *rest in case["products"])
    assert render_user_agent(products) == value


@pytest.mark.parametrize("case", read_vectors("core_useragent", "composed"), ids=name_of)
def test_the_canonical_string_is_composed_of_product_and_comment(case: Case) -> None:
    product, comment = case["product"], case.get("comment", "")
    if "refused" in case:
        with pytest.raises(BadUserAgent) as caught:
            compose_user_agent(product, comment)
        assert caught.value.at == case["at"]
        assert case["refused"] in str(caught.value)
    else:
        assert compose_user_agent(product, comment) == case["value"].encode()


texts = st.one_of(
    st.text(max_size=20),
    st.text('ab/1 ()\\"\t\x00\n\xe9', max_size=20),
    st.text("a/ ()\\", max_size=20).map("a/1 ({})".format),
)


@given(texts)
def test_an_accepted_value_comes_back_and_is_one_clean_field(value: str) -> None:
    try:
        products = parse_user_agent(value)
    except BadUserAgent as error:
        shown, at = str(error), error.at
    else:
        assert render_user_agent(products) == value
        assert find_flaw(((b"User-Agent", value.encode("ascii")),)) is None
        return
    assert shown.isascii()
    assert shown.isprintable()
    assert 0 <= at <= len(value)


@given(texts)
def test_a_composed_comment_is_one_comment(comment: str) -> None:
    try:
        value = compose_user_agent("a/1", comment)
    except BadUserAgent:
        return
    assert parse_user_agent(value.decode()) == (Product("a/1", (comment,) if comment else ()),)


def test_a_hostile_value_does_not_recurse() -> None:
    with pytest.raises(BadUserAgent, match="comments nest deeper than 8"):
        parse_user_agent("a/1 " + "(" * 100_000)
