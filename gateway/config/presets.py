"""What the gateway knows of the vendor's services: names, origins, paths.

One table, that of the README. An upstream that a configuration mentions gets from here
what it does not say itself; `platform` and `media` are there without being mentioned.

Rule 1: an origin that differs for each customer has no preset, and is never guessed.
Rule 2: presets fill gaps before validation, so that they are validated like any value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

DEFAULT_CREDENTIAL = "ringcentral"
ALWAYS_ON = ("platform", "media")
ENGAGE = ("engage_legacy", "engage_digital")
ENGAGE_DIGITAL_HOST = re.compile(
    r"[a-z0-9-]+\.api\.(digital\.ringcentral\.com|engagement\.dimelo\.com)"
)


@dataclass(frozen=True, slots=True)
class Preset:
    """One service of the vendor; an empty `origin` must be configured, as in `example`."""

    origin: str
    routes: tuple[str, ...]
    example: str = ""


PRESETS = {
    "platform": Preset(
        "https://platform.ringcentral.com",
        (
            *("/restapi", "/scim", "/rcvideo", "/video", "/webinar", "/analytics", "/ai"),
            *("/team-messaging", "/cx/social-messaging", "/.well-known"),
        ),
    ),
    # These are removed before the path is sent.
    "media": Preset("https://media.ringcentral.com", ("/media",)),
    "ringcx": Preset(
        "https://ringcx.ringcentral.com",
        ("/voice/api", "/platform/api", "/api/auth", "/api/v2", "/api/v6", "/cx"),
    ),
    "engage_legacy": Preset("", ("/api/v1",), "https://portal.vacd.biz"),
    "engage_digital": Preset("", ("/1.0",), "https://ACCOUNT.api.digital.ringcentral.com"),
}


def fill_presets(tree: dict[str, Any]) -> None:
    """Add to a raw configuration the upstreams that are on, and what they leave unsaid.

    What is not a table, or not an upstream, is left as it is for validation to name.
    """
    written = tree.get("upstreams", {})
    if not isinstance(written, dict):
        return
    # In the order of this table, whatever the order of the layers.
    upstreams = {name: written.get(name, {}) for name in PRESETS if name in {*ALWAYS_ON, *written}}
    tree["upstreams"] = upstreams | written
    platform = upstreams["platform"]
    shared = platform.get("credential", DEFAULT_CREDENTIAL) if isinstance(platform, dict) else ""
    for name, table in upstreams.items():
        if isinstance(table, dict):
            table.setdefault("routes", list(PRESETS[name].routes))
            if name not in ENGAGE:
                table.setdefault("origin", PRESETS[name].origin)
                table.setdefault("credential", shared)
