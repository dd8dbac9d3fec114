"""When a refused call is tried again: arithmetic alone, shared by both clients."""

import random
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long to wait, and when to give up.

    A server that says when to come back is asked again until the deadline. One that says nothing, because it cannot be
    reached, is tried `attempts` times in all, with waits that double and are scattered, so that the clients of a
    restarted server do not come back in step.
    """

    attempts: int = 10
    first_wait_seconds: float = 0.1
    longest_wait_seconds: float = 10.0

    def wait_seconds(self, attempt: int, pushback_seconds: float | None) -> float | None:
        """Return how long to wait after failed attempt number ``attempt`` (from 1); None to give up.

        ``pushback_seconds``: what the server asked for; negative forbids another attempt.
        """
        if pushback_seconds is not None:
            return None if pushback_seconds < 0 else pushback_seconds * _scatter(1.0, 1.25)
        if attempt >= self.attempts:
            return None
        return growing_wait_seconds(attempt, first=self.first_wait_seconds, longest=self.longest_wait_seconds)


def growing_wait_seconds(attempt: int, *, first: float, longest: float) -> float:
    """Return how long to wait after failed attempt number ``attempt`` (from 1): it doubles, and is scattered."""
    doubled = first * 2.0 ** min(attempt - 1, 64)  # beyond that a float overflows
    return min(longest, doubled) * _scatter(0.5, 1.0)


def _scatter(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311 - spreads load, guards nothing


class Deadline:
    """A point in time that all attempts of a call share."""

    def __init__(self, seconds: float | None) -> None:
        """``seconds`` from now; None for never."""
        self._end = None if seconds is None else time.monotonic() + seconds

    def seconds_left(self) -> float | None:
        """Return how long is left, at least 0; None without a deadline."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def allows(self, seconds: float) -> bool:
        """Return whether a wait of ``seconds`` ends before the deadline."""
        left = self.seconds_left()
        return left is None or seconds < left
