"""gateway/config/no_proxy.py."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.no_proxy import is_excepted
from gateway.policy.routes import Origin
from tests.config.loading import vectors_of

ORIGIN = Origin("https", "api.example", 443)
ENTRIES = st.one_of(
    st.text(max_size=20), st.text("[]:/.*0123456789abf, ", max_size=20), st.ip_addresses().map(str)
)


@pytest.mark.parametrize("case", vectors_of("config_no_proxy"), ids=lambda case: case["name"])
def test_what_is_reached_directly(case: Mapping[str, Any]) -> None:
    origin = Origin("https", case["host"], case.get("port", 443))
    assert is_excepted(origin, case["text"]) is case["direct"]


@given(ENTRIES, st.sampled_from(["api.example", "192.0.2.7", "[2001:db8::7]", ""]))
def test_nothing_that_an_environment_holds_raises(text: str, host: str) -> None:
    assert is_excepted(Origin("https", host, 443), text) in (True, False)


@given(ENTRIES)
def test_an_entry_that_cannot_be_read_hides_no_other(text: str) -> None:
    assert is_excepted(ORIGIN, f"{text},api.example")


@given(st.ip_addresses())
def test_every_address_excepts_itself(address: object) -> None:
    text = str(address)
    host = f"[{text}]" if ":" in text else text
    assert is_excepted(Origin("https", host, 443), text)
