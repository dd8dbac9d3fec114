"""When a refused call is tried again."""

import itertools

import pytest

from trainer_client.retries import Deadline, RetryPolicy

POLICY = RetryPolicy(attempts=5, first_wait_seconds=1.0, longest_wait_seconds=3.0)


@pytest.mark.parametrize(("attempt", "longest"), [(1, 1.0), (2, 2.0), (3, 3.0), (4, 3.0)])
def test_waits_double_up_to_the_longest(attempt, longest):
    """Without a word from the server each wait is twice the last, bounded, and scattered over its upper half."""
    waits = [POLICY.wait_seconds(attempt, None) for _ in range(200)]
    assert all(longest / 2 <= wait <= longest for wait in waits)
    assert len(set(waits)) > 1


def test_attempts_are_bounded():
    """The last attempt is followed by no wait."""
    assert [attempt for attempt in range(1, 9) if POLICY.wait_seconds(attempt, None) is None] == [5, 6, 7, 8]


@pytest.mark.parametrize("attempt", [1, 50])
def test_pushback_is_honoured_however_often(attempt):
    """A server that says when to come back is never asked earlier, and not given up for its patience."""
    waits = [POLICY.wait_seconds(attempt, 4.0) for _ in range(200)]
    assert all(4.0 <= wait <= 5.0 for wait in waits)


def test_negative_pushback_forbids():
    """A negative pushback means: do not come back."""
    assert POLICY.wait_seconds(1, -0.001) is None


def test_huge_attempt_numbers_do_not_overflow():
    """However many attempts a policy allows, the wait stays bounded."""
    endless = RetryPolicy(attempts=10_000)
    assert all(endless.wait_seconds(attempt, None) <= 10.0 for attempt in (500, 1_500, 9_000))


def test_deadline_counts_down():
    """What is left of a deadline shrinks and never falls below zero."""
    deadline = Deadline(60)
    readings = [deadline.seconds_left() for _ in range(3)]
    assert all(60 >= first >= second > 59 for first, second in itertools.pairwise(readings))
    assert Deadline(-1).seconds_left() == 0
    assert deadline.allows(59)
    assert not deadline.allows(61)


def test_no_deadline_allows_all():
    """Without a deadline any wait fits."""
    assert Deadline(None).seconds_left() is None
    assert Deadline(None).allows(1e9)
