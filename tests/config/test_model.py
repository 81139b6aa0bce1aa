"""The whole: the contract's sections, frozen, with a schema that helps an editor."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config.model import Config
from gateway.config.presets import PRESETS
from tests.config.loading import config_of

SECTIONS = (
    *("listener", "ops", "user_agent", "tunnel", "query", "links"),
    *("rates", "retries", "timeouts", "limits", "upstreams", "credentials", "stores", "log"),
    "engine",
)


def test_the_sections_are_the_contracts() -> None:
    assert tuple(Config.model_fields) == SECTIONS


def test_a_configuration_of_defaults_has_the_upstreams_that_are_always_on() -> None:
    assert Config().upstreams == config_of().upstreams
    assert Config().credentials == {}


def test_nothing_can_be_changed_afterwards() -> None:
    config = config_of()
    for table, key in ((config.limits, "max_in_flight"), (config, "limits")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(table, key, getattr(table, key))


def fields_of(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{table}.{key}", field)
        for table, definition in schema["$defs"].items()
        for key, field in definition.get("properties", {}).items()
    ]


def test_the_schema_describes_every_field_and_requires_none() -> None:
    schema = Config.model_json_schema()
    assert all(field.get("description") for _, field in fields_of(schema))
    assert "required" not in str(schema)
    assert set(schema["properties"]) == set(SECTIONS)


def test_the_schema_names_units() -> None:
    for name, field in fields_of(Config.model_json_schema()):
        if name.endswith("_s"):
            assert "seconds" in field["description"], name
        if name.endswith("_bytes"):
            assert "bytes" in field["description"], name


def test_the_schema_takes_what_toml_can_write() -> None:
    schema = Config.model_json_schema()
    fields = dict(fields_of(schema))
    assert fields["ListenerConfig.bind"]["anyOf"][0] == {"type": "string"}
    assert fields["ListenerConfig.bind"]["default"] == "127.0.0.1:8080"
    assert fields["UpstreamConfig.origin"]["type"] == "string"
    assert fields["CredentialConfig.token"]["type"] == "string"
    assert "null" not in str(schema).lower()
    assert schema["properties"]["upstreams"]["propertyNames"]["enum"] == [*PRESETS]
