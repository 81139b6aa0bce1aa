"""Follow every link of the message store and the call log with the vendor's SDK for Python.

usage: walk.py ORIGIN

What is at ORIGIN holds the credential, so the token here is made up. One JSON object on
standard output tells what was found; `outside` are the URIs that do not begin with ORIGIN.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from ringcentral import SDK  # type: ignore[import-untyped]  # the vendor ships no types
from ringcentral.http.api_exception import (  # type: ignore[import-untyped]  # as above
    ApiException,
)

LISTS = ("message-store", "call-log")
TOKEN = {"token_type": "bearer", "access_token": "made-up", "expires_in": 3600}


def find_uris(value: Any) -> Iterator[str]:
    """Yield the absolute URIs of a document."""
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from find_uris(member)
    elif isinstance(value, str) and value.startswith(("http://", "https://")):
        yield value


def find_contents(record: dict[str, Any]) -> Iterator[str]:
    """Yield where the bytes that belong to a record are."""
    yield from (attachment["uri"] for attachment in record.get("attachments", ()))
    if "recording" in record:
        yield record["recording"]["contentUri"]


def refused(act: Any, **arguments: str) -> str:
    """Return what the SDK says of a call that fails."""
    try:
        act(**arguments)
    except ApiException as error:
        return str(error)
    return ""


def main(origin: str) -> None:
    """Walk, and tell."""
    platform = SDK("made-up-id", "made-up-secret", origin, "walk", "1.0.0").platform()
    platform.auth().set_data(TOKEN)
    outside, pages, contents = [], dict.fromkeys(LISTS, 0), 0
    for name in LISTS:
        uri = f"/restapi/v1.0/account/~/extension/~/{name}?perPage=4"
        while uri:
            page = platform.get(uri).json_dict()
            pages[name] += 1
            outside += [found for found in find_uris(page) if not found.startswith(f"{origin}/")]
            for record in page["records"]:
                contents += sum(bool(platform.get(at).body()) for at in find_contents(record))
            uri = page["navigation"].get("nextPage", {}).get("uri")
    login = refused(platform.login, jwt="made-up")
    logout = refused(platform.logout)
    told = {"outside": outside, "pages": pages, "contents": contents}
    json.dump({**told, "login": login, "logout": logout}, sys.stdout)


main(*sys.argv[1:])
