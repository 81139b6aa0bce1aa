"""The garbage collector leaves alone what was built at start."""

import gc

from gateway.app.collector import settle_collector


def test_what_was_built_at_start_is_not_collected_again_and_again() -> None:
    before = gc.get_threshold()
    try:
        settle_collector()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == (10_000, *before[1:])
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
