"""gateway/app/memory.py: what stands is not collected again, and freed pages are kept."""

import ctypes
import gc
import subprocess
import sys

import pytest

from gateway.app.memory import settle_memory

# As a relay does: pieces come and go, and in between nothing is held.
RELAY = """
import resource
from gateway.app.memory import settle_memory
{before}
def relay():
    for size in (200_000, 120_000):
        pieces = [b"x" * size for _ in range(8)]
        del pieces
relay()
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    relay()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults)
"""


def count_page_faults(before: str) -> int:
    command = [sys.executable, "-c", RELAY.format(before=before)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_what_was_built_at_start_is_not_collected_again_and_again() -> None:
    before = gc.get_threshold()
    try:
        settle_memory()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == (10_000, *before[1:])
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def test_pieces_that_come_and_go_cost_no_page_faults() -> None:
    assert count_page_faults("settle_memory()") < 1000 < count_page_faults("")


def test_a_libc_without_the_knobs_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = gc.get_threshold()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    try:
        settle_memory()
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
