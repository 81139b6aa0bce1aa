"""gateway/policy/rate_queue.py."""

from collections import Counter

from hypothesis import event, given
from hypothesis import strategies as st

from gateway.policy.rate_queue import RateQueue, Ticket


def enter(queue: RateQueue[int], caller: str, item: int, line: str = "heavy") -> Ticket[int]:
    ticket = queue.enter(line, caller, item)
    assert ticket is not None
    return ticket


def items(tickets: list[Ticket[int]]) -> list[int]:
    return [ticket.item for ticket in tickets]


def test_callers_take_turns_and_each_keeps_its_order() -> None:
    queue: RateQueue[int] = RateQueue(100)
    for item in range(5):
        enter(queue, "loud", item)
    enter(queue, "quiet", 10)
    assert items(queue.release("heavy", 3)) == [0, 10, 1]
    enter(queue, "quiet", 11)
    assert items(queue.release("heavy", 9)) == [2, 11, 3, 4]
    assert len(queue) == 0


def test_lines_are_apart_and_share_one_bound() -> None:
    queue: RateQueue[int] = RateQueue(2)
    enter(queue, "a", 1, "heavy")
    enter(queue, "a", 2, "light")
    assert queue.enter("medium", "b", 3) is None
    assert not queue.waits("medium")
    assert queue.waits("light")
    assert items(queue.release("light", 5)) == [2]
    assert not queue.waits("light")
    assert queue.waits("heavy")
    assert queue.release("light", 5) == []


def test_no_room_releases_nobody() -> None:
    queue: RateQueue[int] = RateQueue(2)
    enter(queue, "a", 1)
    assert queue.release("heavy", 0) == []
    assert len(queue) == 1


def test_whoever_is_cancelled_is_out_once() -> None:
    queue: RateQueue[int] = RateQueue(5)
    first, second, other = enter(queue, "a", 1), enter(queue, "a", 2), enter(queue, "b", 3)
    assert queue.cancel(first)
    assert not queue.cancel(first)
    assert items(queue.release("heavy", 1)) == [2]
    assert not queue.cancel(second)
    assert queue.cancel(other)
    assert not queue.cancel(other)
    assert (len(queue), queue.waits("heavy")) == (0, False)


def test_equal_items_are_told_apart() -> None:
    queue: RateQueue[int] = RateQueue(5)
    first, second = enter(queue, "a", 1), enter(queue, "a", 1)
    assert queue.cancel(second)
    assert queue.release("heavy", 2) == [first]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.sampled_from("abc"), st.sampled_from("xy")),
        st.tuples(st.just("cancel"), st.integers(0, 30), st.just("")),
        st.tuples(st.just("release"), st.integers(0, 4), st.sampled_from("xy")),
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 12))
def test_nobody_is_lost_or_released_twice(
    steps: list[tuple[str, str | int, str]], most: int
) -> None:
    queue: RateQueue[int] = RateQueue(most)
    entered: list[Ticket[int]] = []
    out: list[Ticket[int]] = []
    for what, value, line in steps:
        if isinstance(value, str):
            ticket = queue.enter(line, value, len(entered))
            assert (ticket is None) == (len(entered) - len(out) == most)
            entered += [ticket] if ticket else []
        elif what == "release":
            released = queue.release(line, value)
            waiting = sum(ticket.line == line for ticket in entered) - sum(
                ticket.line == line for ticket in out
            )
            assert len(released) == min(value, waiting)
            out += released
        elif value < len(entered):
            event("cancelled")
            is_waiting = entered[value] not in out
            assert queue.cancel(entered[value]) is is_waiting
            out += [entered[value]] if is_waiting else []
        assert len(queue) == len(entered) - len(out) <= most
    out += queue.release("x", 100) + queue.release("y", 100)
    assert Counter(ticket.item for ticket in out) == Counter(range(len(entered)))


@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(1, 5))
def test_of_callers_who_wait_nobody_is_two_ahead_of_another(callers: list[str], room: int) -> None:
    queue: RateQueue[int] = RateQueue(100)
    for number, caller in enumerate(callers):
        queue.enter("line", caller, number)
    left: Counter[str | None] = Counter(callers)
    served: Counter[str | None] = Counter()
    while len(queue):
        for ticket in queue.release("line", room):
            served[ticket.caller] += 1
            left[ticket.caller] -= 1
            waiting = [served[caller] for caller in left if left[caller]]
            assert not waiting or served[ticket.caller] - min(waiting) <= 1


def test_whose_turn_came_in_vain_goes_before_all_others_in_order_of_arrival() -> None:
    queue: RateQueue[int] = RateQueue(3)
    first, second, third = enter(queue, "a", 1), enter(queue, "b", 2), enter(queue, "a", 3)
    assert queue.release("heavy", 2) == [first, second]
    enter(queue, "b", 4)
    enter(queue, "c", 5)
    # Its place was its own, whoever has come since.
    queue.enter_again(second, 20)
    again = queue.enter_again(first, 10)
    assert len(queue) == 5
    assert items(queue.release("heavy", 1)) == [10]
    assert not queue.cancel(again)
    last = queue.enter_again(again, 100)
    assert items(queue.release("heavy", 3)) == [100, 20, third.item]
    assert not queue.cancel(last)
    assert items(queue.release("heavy", 3)) == [4, 5]


def test_whoever_comes_back_may_be_cancelled_and_a_line_of_such_alone_ends() -> None:
    queue: RateQueue[int] = RateQueue(3)
    enter(queue, "a", 1)
    (ticket,) = queue.release("heavy", 1)
    again = queue.enter_again(ticket, 1)
    assert queue.waits("heavy")
    assert queue.cancel(again)
    assert not queue.cancel(again)
    assert not queue.waits("heavy")
    assert len(queue) == 0
