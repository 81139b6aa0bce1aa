"""Why a peer was not reached, in words: by a token call, or by a request's connection.

The first thing that is wrong at a new installation, a name, a proxy or a certificate, is met
by a token call, and soon by a request; both say the same of it.

Rule: what the system and TLS say of a peer goes on, and no other text of an exception: it may
hold the form.
"""

from __future__ import annotations

import os
import socket
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
            # aiohttp's may have no error of the system's.
            reason, _ = why_unreached(socket.gaierror(), peer, (proxy or origin).host)
        case aiohttp.ClientConnectorError():
            reason = _of_connection(error, origin, proxy)
        case _:
            reason = f"{peer} closed the connection before the end of its answer"
    return TokenCallFailed(Outcome.UNREACHABLE, reason)


def why_unreached(error: OSError | UnicodeError, peer: str, host: str) -> tuple[str, str]:
    """Return why there is no connection to `peer`, whose name is `host`, and how RFC 9209 calls it.

    The latter is empty where it has no type for that.
    """
    match error:
        case ssl.SSLCertVerificationError(verify_message=why):
            return f"the certificate of {peer} is not trusted: {why}", "tls_certificate_error"
        case ssl.SSLError():
            reason = getattr(error, "reason", None) or "protocol error"
            return f"TLS with {peer} failed: {reason}", "tls_protocol_error"
        case socket.gaierror() | UnicodeError():
            # Also a name with an empty or a long part, which is none that could be asked for.
            return f"the name {host} cannot be resolved", "dns_error"
        case ConnectionRefusedError():
            return f"{peer} refuses connections", "connection_refused"
        case OSError(errno=int(number)):
            return f"no connection to {peer}: {os.strerror(number)}", ""
        case ConnectionError():
            # asyncio's own, without a number.
            return f"{peer} closed the connection while TLS was set up", "connection_terminated"
        case _:
            # Several addresses, each with another reason.
            return f"no connection to {peer} by any of its addresses", ""


def _of_connection(
    error: aiohttp.ClientConnectorError, origin: Origin, proxy: ProxyRoute | None
) -> str:
    """Return why there is no connection: none to the proxy, or none to the origin."""
    peer = proxy if proxy and isinstance(error, aiohttp.ClientProxyConnectionError) else origin
    cause: OSError = getattr(error, "certificate_error", error.os_error)
    return why_unreached(cause, str(peer), peer.host)[0]
