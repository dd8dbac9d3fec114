"""From results to rewards."""

from trainer_client import Failure, FailureReason, Ruling, Verdict, reward


def test_verdict_gives_its_score():
    """A verdict's reward is its score."""
    assert reward(Verdict(score=0.25, ruling=Ruling.PARTIAL)) == 0.25


def test_failure_gives_none():
    """A failure has no reward at all, so that nobody trains on it."""
    assert reward(Failure(reason=FailureReason.SANDBOX_UNAVAILABLE)) is None
