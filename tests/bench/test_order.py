"""tests/bench/__main__.py: what is measured beside what."""

from tests.bench.__main__ import side_by_side
from tests.bench.jobs import Target
from tests.bench.peers import NAMES, VARIANTS, Peer
from tests.bench.report import REFERENCE


def test_the_reference_is_measured_next_to_the_gateway_and_nobody_is_left_out() -> None:
    ordered = [target.peer.name for target in side_by_side([Target(Peer(n), 0) for n in NAMES])]
    assert sorted(ordered) == sorted(NAMES)
    assert ordered[-1 - len(VARIANTS) :] == [REFERENCE, *VARIANTS]
