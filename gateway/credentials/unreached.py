"""Why a token call came to no answer, in words.

The first thing that is wrong at a new installation, a name, a proxy or a certificate, is met
by a token call. It is told as `engine.connect` tells of a request's connection.

Rule: what the system and TLS say of a peer goes on, and no other text of an exception: it may
hold the form.
"""

from __future__ import annotations

import os
import ssl

import aiohttp

from gateway.config.proxies import ProxyRoute
from gateway.config.secrets import Unresolved
from gateway.credentials.failures import Outcome, TokenCallFailed
from gateway.policy.routes import Origin


def failure_of(error: Exception, origin: Origin, proxy: ProxyRoute | None) -> TokenCallFailed:
    """Return how a call to `origin`, through `proxy` if there is one, has failed."""
    peer = f"{origin} through {proxy}" if proxy else str(origin)
    match error:
        case TimeoutError():
            return TokenCallFailed(Outcome.TIMEOUT, f"{peer} did not answer")
        case Unresolved():
            reason = f"proxy_auth: {error}"
        case aiohttp.ClientHttpProxyError():
            reason = f"{proxy} answered {error.status}"
        case aiohttp.ClientResponseError():
            reason = f"{peer} answered what is not HTTP"
        case aiohttp.ClientConnectorDNSError() | UnicodeError():
            # Also a name with an empty or a long part, which is none that could be asked for.
            reason = f"the name {(proxy or origin).host} cannot be resolved"
        case aiohttp.ClientConnectorError():
            reason = _of_connection(error, origin, proxy)
        case _:
            reason = f"{peer} closed the connection before the end of its answer"
    return TokenCallFailed(Outcome.UNREACHABLE, reason)


def _of_connection(
    error: aiohttp.ClientConnectorError, origin: Origin, proxy: ProxyRoute | None
) -> str:
    """Return why there is no connection: none to the proxy, or none to the origin."""
    peer = str(proxy if isinstance(error, aiohttp.ClientProxyConnectionError) else origin)
    match getattr(error, "certificate_error", error.os_error):
        case ssl.SSLCertVerificationError(verify_message=why):
            return f"the certificate of {peer} is not trusted: {why}"
        case ssl.SSLError(reason=why):
            return f"TLS with {peer} failed: {why or 'protocol error'}"
        case ConnectionRefusedError():
            return f"{peer} refuses connections"
        case OSError(errno=int(number)):
            return f"no connection to {peer}: {os.strerror(number)}"
        case _:
            # asyncio's own, without a number.
            return f"{peer} closed the connection while TLS was set up"
