"""A configuration for looking at, which need not be fit to serve.

The default upstreams want a credential, and there is none by default. Who only wants to
see a decision or a setting should not have to invent one, so a missing credential is
taken to be a static token, which nobody resolves.

Rule: what is assumed is told to the caller; every other problem stays a problem.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.errors import ConfigError

if TYPE_CHECKING:
    from gateway.config.load import Loaded

# The path of a problem with a whole credential: it is missing.
_CREDENTIAL = re.compile(r"credentials\.([a-z0-9_-]+)")


def load_assuming(
    files: Sequence[Path], sets: Sequence[str], environ: Mapping[str, str]
) -> tuple[Loaded, tuple[str, ...]]:
    """Load a configuration; return also the TOML paths of the credentials that it lacks.

    Raises `ConfigError` with every other problem.
    """
    from gateway.config.load import load

    try:
        return load(files, sets, environ), ()
    except ConfigError as error:
        found = (_CREDENTIAL.fullmatch(problem.path) for problem in error.problems)
        missing = [match for match in found if match]
        if not missing:
            raise
    assumed = dict(environ)
    for match in missing:
        prefix = f"RCGW_CREDENTIALS__{match[1].upper()}__"
        assumed |= {f"{prefix}GRANT": "static", f"{prefix}TOKEN": "env:RC_ACCESS_TOKEN"}
    return load(files, sets, assumed), tuple(match[0] for match in missing)
