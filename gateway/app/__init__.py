"""The composition root: a configuration becomes a running gateway.

Everything that talks to the outside is made here and handed down: pools and credentials
(`ways.py`, `credentials.py`), the gate and its listeners (`gateway.py`), the log and the
metrics (`service.py`), what readiness depends on (`requirements.py`), the operators'
listener and the signals (`host.py`), reloads (`reloading.py`), several workers and their
parent (`worker.py`, `crew.py`, `foreman.py`), the event loop (`process.py`), the simulator
beside it all (`simulated.py`).

Rule 1: nothing else in the gateway makes a pool, a listener or a logger.
Rule 2: this room decides nothing about requests.
"""

from gateway.app.credentials import Credentials, make_credentials
from gateway.app.gateway import Gateway
from gateway.app.process import run

__all__ = ["Credentials", "Gateway", "make_credentials", "run"]
