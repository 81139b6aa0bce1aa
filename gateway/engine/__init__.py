"""The data plane: accepts, forwards, relays. Carries plans out and decides nothing.

A caller's connection, made by `server.py`, begins in the fast lane (`fast_connection.py`,
`fast_call.py`; `fast_upload.py` where a long body follows) and may be handed to aiohttp, the main
lane (`reception.py`, `caller.py`); an upstream's is ours (`upstream.py`, kept by `pool.py`).
Between them stands one exchange (`exchange.py`): read head, decide, get the token the plan names,
send, relay, one event, always. In either lane a request that is whole, and whose head is known
(`known_heads.py`), goes the short way (`swift.py`) as far as that leads. What is not here yet of a
body is read from a `body_source.py`, by an `upload.py`; the middle of a long body, either way,
that need not be seen passes by all of them (`splice.py`).
"""
