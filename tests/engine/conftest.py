"""Every test of the engine runs on both event loops, and so, by `tests.wire`, in both lanes."""

from tests.e2e.conftest import pytest_asyncio_loop_factories as pytest_asyncio_loop_factories
