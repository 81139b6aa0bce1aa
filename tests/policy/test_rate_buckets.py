"""gateway/policy/rate_buckets.py."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.rate_buckets import PENALTY_S, Bucket, Reason, Shut
from gateway.policy.rate_fields import RateFields


def told(
    remaining: int | None, limit: int | None = 10, window_s: float | None = 60.0
) -> RateFields:
    return RateFields("heavy", limit, remaining, window_s)


def learned(remaining: int, now: float = 100.0) -> Bucket:
    """Return a bucket that one request, number 1, was sent from and answered."""
    bucket = Bucket()
    bucket.spend(now)
    bucket.forget()
    bucket.note(1, 1, told(remaining), now)
    return bucket


def test_a_group_has_no_limit_until_it_is_told() -> None:
    bucket = Bucket()
    assert bucket.is_blank
    assert (bucket.remaining(0.0), bucket.room(0.0)) == (None, 1)
    for _ in range(1000):
        assert bucket.refusal(0.0) is None
        bucket.spend(0.0)
    assert bucket.room(0.0) == 0
    assert not bucket.is_blank


def test_what_is_in_flight_counts_against_what_remains() -> None:
    bucket = learned(remaining=2)
    assert bucket.remaining(100.0) == bucket.room(100.0) == 2
    bucket.spend(100.0)
    bucket.spend(100.0)
    assert bucket.refusal(101.0) == Shut(Reason.EXHAUSTED, 160.0)
    assert bucket.remaining(101.0) == bucket.room(101.0) == 0
    bucket.forget()
    assert bucket.refusal(101.0) is None


def test_the_window_rolls_over_at_its_end_and_what_is_in_flight_still_counts() -> None:
    bucket = learned(remaining=1)
    bucket.spend(159.0)
    assert bucket.refusal(159.9) == Shut(Reason.EXHAUSTED, 160.0)
    assert bucket.refusal(160.0) is None
    assert bucket.remaining(160.0) == 9


def test_with_the_whole_limit_in_flight_past_the_window_another_window_is_waited_for() -> None:
    bucket = learned(remaining=9)
    for _ in range(10):
        bucket.spend(100.0)
    assert bucket.refusal(200.0) == Shut(Reason.EXHAUSTED, 260.0)


def test_without_a_window_the_vendors_pause_is_waited_for() -> None:
    bucket = Bucket()
    bucket.note(1, 1, told(1, 1, None), 100.0)
    bucket.spend(100.0)
    assert bucket.refusal(100.0) == Shut(Reason.EXHAUSTED, 100.0 + PENALTY_S)


def test_without_a_limit_nothing_is_known_of_the_next_window() -> None:
    bucket = Bucket()
    bucket.note(1, 1, told(1, None), 100.0)
    assert bucket.remaining(159.0) == 1
    assert bucket.remaining(160.0) is None


def test_of_answers_whose_order_is_unknown_the_smaller_number_is_believed() -> None:
    bucket = learned(remaining=9)
    for _ in range(3):  # numbers 2, 3 and 4, all in flight at once
        bucket.spend(100.0)
    for number, remaining, left in ((4, 6, 4), (2, 8, 5), (3, 7, 6)):
        bucket.forget()
        bucket.note(number, 4, told(remaining), 101.0)
        assert bucket.remaining(101.0) == left
    bucket.spend(102.0)
    bucket.forget()
    # Sent after those answers, so it is news: the vendor's window is a new one.
    bucket.note(5, 5, told(9), 102.0)
    assert bucket.remaining(102.0) == 9


def test_others_who_spend_the_same_limit_are_seen() -> None:
    bucket = learned(remaining=9)
    bucket.spend(101.0)
    bucket.forget()
    bucket.note(2, 2, told(3), 101.0)
    assert bucket.remaining(101.0) == 3


def test_a_request_without_an_answer_was_counted_by_the_vendor() -> None:
    bucket = learned(remaining=2)
    bucket.spend(110.0)
    bucket.forget()
    bucket.note(2, 2, None, 110.0)
    assert bucket.remaining(169.0) == 1
    assert bucket.remaining(170.0) == 10


def test_an_answer_that_says_nothing_teaches_nothing() -> None:
    bucket = Bucket()
    bucket.note(1, 1, None, 100.0)
    bucket.note(2, 2, RateFields("heavy"), 100.0)
    assert bucket.is_blank


def test_a_429_shuts_for_a_window_or_retry_after_whichever_is_later() -> None:
    for retry_after_s, until in ((None, 160.0), (5.0, 160.0), (90.0, 190.0)):
        shut = learned(5).judge(429, told(None), retry_after_s, 100.0)
        assert shut == Shut(Reason.PENALTY, until)
    assert Bucket().judge(429, None, None, 100.0) == Shut(Reason.PENALTY, 100.0 + PENALTY_S)


def test_nothing_remaining_shuts_and_anything_else_does_not() -> None:
    bucket = learned(remaining=0)
    assert bucket.judge(200, told(0), None, 100.0) == Shut(Reason.EXHAUSTED, 160.0)
    assert learned(1).judge(200, told(1), 60.0, 100.0) is None
    assert learned(1).judge(503, None, 60.0, 100.0) is None
    assert not bucket.is_blank


def test_a_door_that_is_shut_for_longer_stays_so_and_opens_at_its_moment() -> None:
    bucket = learned(remaining=5)
    assert bucket.close(Reason.PENALTY, 200.0) == Shut(Reason.PENALTY, 200.0)
    assert bucket.close(Reason.EXHAUSTED, 150.0) == Shut(Reason.PENALTY, 200.0)
    assert bucket.close(Reason.EXHAUSTED, 201.0) == Shut(Reason.EXHAUSTED, 201.0)
    assert bucket.room(200.9) == 0
    assert bucket.refusal(201.0) is None


def test_a_count_that_is_full_is_believed_for_a_second_and_then_one_asks_for_all() -> None:
    bucket = learned(remaining=5)
    bucket.fill(161.0, 100.0)
    told = Shut(Reason.EXHAUSTED, 161.0)
    assert bucket.refusal(100.9) == told
    assert (bucket.room(100.9), bucket.remaining(100.9)) == (0, 0)
    assert (bucket.refusal(101.0), bucket.room(101.0)) == (None, 1)
    assert not bucket.take(101.0)
    bucket.spend(101.0)
    # When it opens is known all the while.
    assert bucket.refusal(101.9) == told
    assert bucket.refusal(102.0) is None
    bucket.fill(140.0, 102.0)
    assert bucket.refusal(102.9) == Shut(Reason.EXHAUSTED, 140.0)
    bucket.spend(139.5)
    assert bucket.refusal(139.9) == Shut(Reason.EXHAUSTED, 140.0)
    assert (bucket.refusal(140.0), bucket.room(140.0)) == (None, 3)
    assert bucket.take(140.0)


def test_a_count_that_has_room_again_opens_no_other_door() -> None:
    bucket = learned(remaining=5)
    bucket.fill(161.0, 100.0)
    bucket.close(Reason.PENALTY, 130.0)
    assert bucket.refusal(100.0) == Shut(Reason.PENALTY, 130.0)
    bucket.fill(100.5, 100.5)
    assert bucket.refusal(129.9) == Shut(Reason.PENALTY, 130.0)
    assert (bucket.refusal(130.0), bucket.room(130.0)) == (None, 5)


def test_a_bucket_is_not_blank_while_a_count_is_full() -> None:
    bucket = Bucket()
    bucket.fill(161.0, 100.0)
    assert not bucket.is_blank
    bucket.fill(101.0, 101.0)
    assert bucket.is_blank


@given(st.data())
def test_of_what_is_answered_in_any_order_no_more_is_let_through_than_remains(
    data: st.DataObject,
) -> None:
    """Within one window, whatever the order in which the vendor gets and answers requests."""
    limit = data.draw(st.integers(1, 6))
    bucket, number, counted, now = Bucket(), 0, 0, 100.0
    on_the_way: list[int] = []
    answers: list[tuple[int, int | None]] = []
    bucket.note(0, 0, told(limit, limit), now)
    for step in data.draw(st.lists(st.sampled_from(["send", "count", "answer"]), max_size=60)):
        now += 0.1
        if step == "send" and bucket.refusal(now) is None:
            number += 1
            bucket.spend(now)
            on_the_way.append(number)
        elif step == "count" and on_the_way:
            counted += 1
            silent = data.draw(st.booleans())
            sent = on_the_way.pop(data.draw(st.integers(0, len(on_the_way) - 1)))
            answers.append((sent, None if silent else limit - counted))
        elif step == "answer" and answers:
            sent, left = answers.pop(data.draw(st.integers(0, len(answers) - 1)))
            bucket.forget()
            bucket.note(sent, number, None if left is None else told(left, limit), now)
            bucket.judge(200, None if left is None else told(left, limit), None, now)
        assert counted + len(on_the_way) <= limit
