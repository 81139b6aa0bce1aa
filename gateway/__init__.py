"""rc-gateway: the map of the house.

A request is decided by synchronous, clock-free code and carried out by a thin
asynchronous shell. Each room may import only the rooms to its left:

    errors <- core <- policy <- pipeline <- config <- stores <- credentials <- engine
           <- browser <- ops <- app <- cli

`errors`, `core`, `policy` and `pipeline` are pure: no clock, no socket, no logging.
`simulator` is a second opinion: it imports nothing of the gateway; app, cli and tests use it.
Everything importable from here is private; the public surface is the command line, the
configuration, the endpoints, the headers we set and the error codes.
"""

__version__ = "0.1.0"
