"""The data plane: accepts, forwards, relays. Carries plans out and decides nothing.

A caller's connection is aiohttp's (`reception.py`, `caller.py`, made by `server.py`); an
upstream's is ours (`upstream.py`, kept by `pool.py`). Between them stands one exchange
(`exchange.py`): read head, decide, get the token the plan names, send, relay, one event,
always.
"""
