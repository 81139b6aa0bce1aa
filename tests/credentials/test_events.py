"""Who listens to credentials hears all that they tell."""

import inspect
import io

import pytest

from gateway.credentials.events import Events
from gateway.ops.credential_log import CredentialLog
from gateway.ops.log_output import open_log

TOLD = {"token_changed", "token_unreadable", "refresh_finished", "store_failed"}


def test_credentials_tell_of_changes_and_troubles() -> None:
    told = {name for name, _ in inspect.getmembers(Events, inspect.isfunction) if name[0] != "_"}
    assert told == TOLD


@pytest.mark.parametrize("name", sorted(TOLD))
def test_the_log_hears_it_by_the_same_parameters(name: str) -> None:
    events: Events = CredentialLog(open_log("info", "json", io.BytesIO()))
    heard = inspect.signature(getattr(events, name))
    assert list(heard.parameters) == list(inspect.signature(getattr(Events, name)).parameters)[1:]
