"""What other people's code imports from here."""

import trainer_client


def test_public_names():
    """The public names are exactly these; taking one away breaks somebody's training run."""
    names = """
        AsyncRewardClient Capabilities Check DeadlineExceededError Failure FailureReason Flag InvalidRequestError Limits
        OverloadedError Provenance Result RetryPolicy RewardClient RewardError Ruling Sample ServerError
        UnauthenticatedError UnavailableError Verdict read_samples reward
    """
    assert sorted(trainer_client.__all__) == names.split()
