import contextlib
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.faults import Fault
from gateway.simulator.forms import FORM_TYPE, read_form
from gateway.simulator.reading import Wire


def _wire(body: bytes, *types: str, length: int | None = None) -> Wire:
    headers = tuple((b"Content-Type", each.encode()) for each in types)
    return Wire("POST", "/", headers, body, len(body) if length is None else length)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
)
def test_a_form_is_read_as_it_was_written(form: dict[str, str]) -> None:
    assert read_form(_wire(urlencode(form).encode(), FORM_TYPE)) == form


@given(st.binary())
def test_any_body_is_a_form_or_a_fault(body: bytes) -> None:
    with contextlib.suppress(Fault):
        assert isinstance(read_form(_wire(body, FORM_TYPE)), dict)


@pytest.mark.parametrize("types", [(), ("application/json",), (FORM_TYPE, FORM_TYPE)])
def test_another_content_type_is_refused(types: tuple[str, ...]) -> None:
    with pytest.raises(Fault, match="400 CMN-110"):
        read_form(_wire(b"a=b", *types))


def test_a_charset_beside_the_type_is_fine() -> None:
    assert read_form(_wire(b"a=", f"{FORM_TYPE}; charset=UTF-8")) == {"a": ""}


def test_a_name_that_comes_twice_is_refused() -> None:
    with pytest.raises(Fault, match="400 OAU-111"):
        read_form(_wire(b"a=b&a=b", FORM_TYPE))


def test_a_body_that_was_not_kept_whole_is_refused() -> None:
    with pytest.raises(Fault, match="413"):
        read_form(_wire(b"a=b", FORM_TYPE, length=9))
