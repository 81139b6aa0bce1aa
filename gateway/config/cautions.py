"""What a configuration allows and its author may not have meant.

Said by `check` and in the log of `serve`; nothing is refused for it.

Rule: a caution names what will be lost, and the setting that keeps it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from gateway.config.compile import enabled_credentials
from gateway.config.model import Config
from gateway.config.presets import PRESETS, media_beside
from gateway.errors import Problem
from gateway.policy.rates import RateMode

# What keeps to the limits of the vendor.
_KEPT = (RateMode.SHIELD, RateMode.QUEUE)


def cautions(config: Config) -> Iterator[Problem]:
    """Yield what may not be meant, with its TOML path."""
    for name, table in enabled_credentials(config).items():
        if table.grant == "refresh_token" and not config.stores.outlive:
            yield Problem(
                f"credentials.{name}.refresh_token",
                "is good once, and what follows it is kept in memory: after a restart nobody has "
                "one that works; set stores.file or stores.redis",
            )
    yield from _unused_credentials(config)
    yield from _media_of_another(config)
    # The others are told what the vendor answered, and refuse nothing because of it.
    if config.engine.workers != 1 and config.stores.redis is None and config.rates.mode in _KEPT:
        yield Problem(
            "engine.workers",
            f"is {config.engine.workers}, and each worker learns the vendor's limits by itself, "
            "so that together they may pass them; set stores.redis to have one count",
        )


def _unused_credentials(config: Config) -> Iterator[Problem]:
    """Yield each credential that was written and that no upstream sends."""
    used = enabled_credentials(config)
    for name in config.credentials:
        if name not in used:
            yield Problem(f"credentials.{name}", f"is used by no upstream; {_place(name, used)}")


def _place(name: str, used: Iterable[str]) -> str:
    """Return what an unused name may stand for, or where to write it."""
    # Long names are no typing errors, and comparing them takes long.
    near = difflib.get_close_matches(name[:40], used, n=1)
    if near:
        return f"did you mean credentials.{near[0]}?"
    return f'set upstreams.NAME.credential = "{name}", or remove it'


def _media_of_another(config: Config) -> Iterator[Problem]:
    """Yield that media is the vendor's production while the platform is something else."""
    platform, media = config.upstreams["platform"], config.upstreams["media"]
    production = PRESETS["media"].origin
    belongs = str(media.origin) in (str(platform.origin), media_beside(str(platform.origin)))
    shares = media.credential == platform.credential
    if str(media.origin) != production or belongs or not shares:
        return
    if config.credentials[media.credential].grant != "none":
        yield Problem(
            "upstreams.media.origin",
            f"is {production}, and the tokens for {platform.origin} go there as well; "
            "set the host of media that belongs to it",
        )
