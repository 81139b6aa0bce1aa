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

from gateway.config.grants import GRANTS

DEFAULT_CREDENTIAL = "ringcentral"
DEFAULT_RINGCX_CREDENTIAL = "ringcx"
# The variables that the vendor's own samples use.
DEFAULT_GRANT = {
    "grant": "jwt",
    "client_id": "env:RC_APP_CLIENT_ID",
    "client_secret": "env:RC_APP_CLIENT_SECRET",
    "jwt": "env:RC_USER_JWT",
}
_KEYS = frozenset((*GRANTS["jwt"].needs, *GRANTS["jwt"].takes))
# What is exchanged for a RingCX token; another one is used for RingCX as it is.
_EXCHANGED = ("static", "jwt", "refresh_token")
ALWAYS_ON = ("platform", "media")
ENGAGE = ("engage_legacy", "engage_digital")
# The environments: none, "devtest" and others below .com; .biz of carriers that sell it.
_PLATFORM = re.compile(
    r"https://platform((?:\.[a-z0-9-]+)?\.ringcentral\.(?:com|biz))(?::443)?", re.IGNORECASE
)
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
    shared = _shared_credential(platform)
    credentials = tree.setdefault("credentials", {})
    own = _fill_credentials(credentials, upstreams, shared) if isinstance(credentials, dict) else {}
    for name, table in upstreams.items():
        if isinstance(table, dict):
            table.setdefault("routes", list(PRESETS[name].routes))
            if name not in ENGAGE:
                table.setdefault("origin", _origin_of(name, platform))
                if shared:
                    table.setdefault("credential", own.get(name, shared))


def _shared_credential(platform: object) -> str:
    """Return the platform's credential; "" for a flawed one, of which the others take nothing."""
    shared = platform.get("credential", DEFAULT_CREDENTIAL) if isinstance(platform, dict) else ""
    return shared if isinstance(shared, str) else ""


def _origin_of(name: str, platform: object) -> str:
    """Return the origin of a service; that of media is in the environment of the platform."""
    origin = platform.get("origin") if isinstance(platform, dict) and name == "media" else None
    beside = media_beside(origin) if isinstance(origin, str) else None
    return beside or PRESETS[name].origin


def media_beside(platform: str) -> str | None:
    """Return the media origin of the vendor's environment that a platform origin is of.

    None for an origin that follows no pattern of the vendor's.
    """
    match = _PLATFORM.fullmatch(platform)
    return None if match is None else f"https://media{match[1]}"


def _fill_credentials(
    credentials: dict[str, Any], upstreams: dict[str, Any], shared: str
) -> dict[str, str]:
    """Add the credentials that nobody wrote; return the upstreams that have one of their own."""
    if shared == DEFAULT_CREDENTIAL:
        table = credentials.setdefault(DEFAULT_CREDENTIAL, {})
        # A grant that is written, or a key that this one does not take, means another one.
        if isinstance(table, dict) and table.keys() <= _KEYS:
            table.update(DEFAULT_GRANT | table)
    source = credentials.get(shared)
    for table in credentials.values():
        if shared and isinstance(table, dict) and table.get("grant") == "ringcx":
            table.setdefault("source", shared)
    ringcx = upstreams.get("ringcx")
    if not isinstance(ringcx, dict) or "credential" in ringcx or not isinstance(source, dict):
        return {}
    if source.get("grant", "static") not in _EXCHANGED:
        return {}
    credentials.setdefault(DEFAULT_RINGCX_CREDENTIAL, {"grant": "ringcx", "source": shared})
    return {"ringcx": DEFAULT_RINGCX_CREDENTIAL}
