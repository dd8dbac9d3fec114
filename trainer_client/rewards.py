"""What a trainer makes of a result."""

from trainer_client.results import Failure, Result, Verdict


def reward(result: Result) -> float | None:
    """Return the score of a verdict, and None for a failure: mask that sample, never train on it as a 0."""
    match result:
        case Verdict(score=score):
            return score
        case Failure():
            return None
