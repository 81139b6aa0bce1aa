"""What an operator sees: the request log, metrics, and the listener for health checks.

Rooms to the left of this one tell what happened through Protocols of their own; here
those are implemented: `request_log.py` and `metrics.py` hear of every request, through
`fanout.py`. `server.py` answers probes and scrapes on a port that carries no data.
"""
