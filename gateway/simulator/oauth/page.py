"""The login page: `/restapi/oauth/authorize`, shown by GET and sent by POST.

The parameters of RFC 6749 section 4.1.1 and RFC 7636 section 4.3 come in the query and, as
the vendor allows, in the form of the POST. Whoever presses the button is the one user
there is; there is no password, because it would be printed beside its field.

Inferred: what cannot be used is a 400 and never a redirect, and a `redirect_uri` may be
any http or https URI without a fragment, since a simulator has no list of registered ones.
"""

import html
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from gateway.simulator.answers import Answer
from gateway.simulator.oauth.apps import APPS, PUBLIC_CLIENT_ID
from gateway.simulator.oauth.codes import METHODS, Request
from gateway.simulator.oauth.refusals import invalid_client, invalid_request

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign in to the RingCentral simulator</title>
<h1>RingCentral simulator</h1>
<p>The application <b>{app}</b> asks to act for Ada Byron.</p>
<form method="post"><button name="login" value="yes" autofocus>Sign in as Ada Byron</button></form>
</html>
"""


def read_request(parameters: Mapping[str, str]) -> Request:
    """Read what an application asks for. Raises Fault."""
    app = parameters.get("client_id", "")
    if app not in APPS:
        raise invalid_client()
    if parameters.get("response_type") != "code":
        raise invalid_request("response_type")
    challenge = parameters.get("code_challenge", "")
    if app == PUBLIC_CLIENT_ID and not challenge:
        raise invalid_request("code_challenge")
    method = parameters.get("code_challenge_method") or "plain"
    if method not in METHODS:
        raise invalid_request("code_challenge_method")
    uri = parameters.get("redirect_uri", "")
    return Request(app, _checked(uri), parameters.get("state", ""), challenge, method)


def render_page(request: Request) -> Answer:
    """Show the login."""
    body = _PAGE.format(app=html.escape(request.app)).encode()
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"))
    return Answer(200, headers, body)


def render_redirect(request: Request, code: str) -> Answer:
    """Send the browser back to the application, with its code and its state."""
    mark = "&" if urlsplit(request.redirect_uri).query else "?"
    state = f"&state={quote(request.state, safe='', errors='replace')}" if request.state else ""
    return Answer(302, (("Location", f"{request.redirect_uri}{mark}code={code}{state}"),))


def _checked(uri: str) -> str:
    # A line feed in here would end the Location field.
    is_plain = uri.isascii() and uri.isprintable() and " " not in uri and "#" not in uri
    try:
        parts = urlsplit(uri) if is_plain else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        raise invalid_request("redirect_uri")
    return uri
