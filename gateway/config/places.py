"""May the file of the store stand where the configuration wants it?

The file holds tokens, so it and its directory are the gateway's alone: what others could
read, replace or redirect is refused before anything is written there.

Rule 1: the text says what is wrong and which command mends it.
Rule 2: nothing is opened or changed here; looking is repeated before each use.
"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

_OTHERS_READ_OR_WRITE = 0o006
_NOT_THE_OWNER = 0o077


def check_file_place(path: str) -> str | None:
    """Return why a file of tokens may not be at a path; None when it may, there or not yet."""
    place = Path(path)
    try:
        return _check_directory(place.parent) or _check_file(place)
    except OSError as error:
        return f"{place} cannot be looked at: {error.strerror}"


def _check_directory(directory: Path) -> str | None:
    shown = shlex.quote(str(directory))
    try:
        seen = directory.stat()
    except FileNotFoundError:
        return f"directory {directory} does not exist; run: mkdir -p -m 700 {shown}"
    if not stat.S_ISDIR(seen.st_mode):
        return f"{directory} is no directory"
    if seen.st_uid not in (os.geteuid(), 0):
        return f"directory {directory} belongs to another user; choose one of this user"
    if seen.st_mode & _OTHERS_READ_OR_WRITE:
        own = shlex.quote(str(directory / "rc-gateway"))
        return f"directory {directory} is open to every user; use another one: mkdir -m 700 {own}"
    return None


def _check_file(place: Path) -> str | None:
    try:
        seen = place.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(seen.st_mode):
        return f"{place} is a symbolic link; write the path of the file itself"
    if not stat.S_ISREG(seen.st_mode):
        return f"{place} is not a regular file"
    if seen.st_uid != os.geteuid():
        return f"file {place} belongs to another user; choose a file of this user"
    if seen.st_mode & _NOT_THE_OWNER:
        return f"file {place} is open to other users; run: chmod 600 {shlex.quote(str(place))}"
    return None
