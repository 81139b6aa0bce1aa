"""gateway/ops/durations.py: what a scraper reads is what the library's own histogram says."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics, generate_latest

from gateway.ops.durations import BUCKETS_S, MOST_SERIES, Durations

NAME, TEXT, LABELS = "took_seconds", "How long.", ("method", "status")
seconds = st.one_of(
    st.sampled_from([0.0, *BUCKETS_S, 11.0]),
    st.floats(0, 20, allow_nan=False).map(lambda value: round(value, 6)),
)
labels = st.sampled_from([("GET", 200), ("GET", 404), ("PUT", 200), ("", "none")])


@given(st.lists(st.tuples(labels, st.lists(seconds, min_size=1, max_size=20)), max_size=10))
def test_the_text_is_that_of_the_librarys_own(
    observed: list[tuple[tuple[str, int | str], list[float]]],
) -> None:
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library omits the types
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    one = Durations(NAME, TEXT, LABELS, ours)
    other = Histogram(NAME, TEXT, LABELS, registry=theirs, buckets=BUCKETS_S)
    for values, took in observed:
        one.observe(values, took)
        for value in took:
            other.labels(*values).observe(value)
    assert _rounded(generate_latest(ours)) == _rounded(generate_latest(theirs))


def _rounded(text: bytes) -> list[str]:
    """Return the lines, their numbers to a microsecond: sums depend on the order of adding."""
    lines = [line.rpartition(" ") for line in text.decode().splitlines()]
    return [
        f"{name} {float(value):.6f}" if name and not name.startswith("#") else name + value
        for name, _, value in lines
    ]


def test_series_are_bounded_and_the_rest_is_other() -> None:
    registry = CollectorRegistry()
    durations = Durations(NAME, TEXT, ("path",), registry)
    for number in range(MOST_SERIES + 5):
        durations.observe((str(number),), [0.1])
    text = generate_latest(registry).decode()
    assert text.count("took_seconds_count{") == MOST_SERIES + 1
    assert 'took_seconds_count{path="other"} 5.0' in text


def test_a_name_is_registered_once() -> None:
    registry = CollectorRegistry()
    Durations(NAME, TEXT, (), registry)
    try:
        Durations(NAME, TEXT, (), registry)
    except ValueError:
        return
    raise AssertionError("the same name was taken twice")
