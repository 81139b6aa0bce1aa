"""Sections: nothing is converted, nothing unknown is taken, nothing is shown."""

import pytest
from pydantic import ValidationError

from gateway.config.section import Section, read_text


class Example(Section):
    """A section made up for these tests."""

    count: int = 1
    on: bool = False


@pytest.mark.parametrize("tree", [{"count": "5"}, {"count": 5.0}, {"on": 1}, {"off": True}])
def test_what_would_have_to_be_guessed_at_is_refused(tree: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Example.model_validate(tree)


def test_an_error_does_not_show_its_input() -> None:
    with pytest.raises(ValidationError) as caught:
        Example.model_validate({"count": "s3cr3t"})
    assert "s3cr3t" not in str(caught.value)


def test_text_is_parsed_and_what_is_parsed_passes() -> None:
    read = read_text(int, int)
    assert read("5") == 5
    assert read(5) == 5
    with pytest.raises(ValueError, match="write text in quotes"):
        read(None)
