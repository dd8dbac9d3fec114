"""From results to rewards."""

import pytest

from trainer_client import Check, Failure, FailureReason, Flag, Ruling, Verdict, reward
from trainer_client.rewards import Reward, Shaping, overlong_punishment, shaped, weighted_score


def verdict(score, *checks, flags=()):
    ruling = Ruling.ACCEPTED if score == 1 else Ruling.PARTIAL
    found = tuple(Check(name=name, score=points, weight=weight, detail="") for name, points, weight in checks)
    return Verdict(score=score, ruling=ruling, checks=found, flags=tuple(Flag(name=name, detail="") for name in flags))


def test_verdict_gives_its_score():
    """A verdict's reward is its score."""
    assert reward(Verdict(score=0.25, ruling=Ruling.PARTIAL)) == 0.25


def test_failure_gives_none():
    """A failure has no reward at all, so that nobody trains on it."""
    assert reward(Failure(reason=FailureReason.SANDBOX_UNAVAILABLE)) is None


def test_unshaped_rewards_are_the_scores():
    """Without options shaping changes nothing, whatever the length and the flags."""
    found = verdict(0.3, ("a", 1.0, 1.0), ("b", 0.0, 3.0), flags=("exit",))
    assert shaped(found, Shaping(), tokens=10_000) == Reward(value=0.3)


@pytest.mark.parametrize("shaping", [Shaping(), Shaping(overlong_limit=5), Shaping(low=0.0, high=1.0, flagged="zero")])
def test_no_option_makes_a_failure_a_reward(shaping):
    """A failure stays masked and says why."""
    failure = Failure(reason=FailureReason.GRADER_ERROR)
    assert shaped(failure, shaping, tokens=9) == Reward(value=None, masked="grader_error")


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({}, 0.5),
        ({"a": 1.0}, 0.5),
        ({"a": 3.0}, 0.75),
        ({"a": 0.0}, 0.0),
        ({"?": 2.0, "a": 9.0}, 0.5),
        ({"a": 9.0, "?": 1.0}, 0.9),
        ({"other": 7.0}, 0.5),
        ({"*": 0.0}, 0.5),
    ],
)
def test_weights_of_checks(weights, expected):
    """The first pattern that fits weighs a check; weights that name nothing, or leave nothing, change nothing."""
    assert weighted_score(verdict(0.5, ("a", 1.0, 1.0), ("b", 0.0, 1.0)), weights) == pytest.approx(expected)


def test_what_the_server_gave_nothing_stays_nothing():
    """Weights cannot pay for parts of what the server refused as a whole, e.g. as forbidden."""
    refused = Verdict(score=0.0, ruling=Ruling.FORBIDDEN, checks=(Check(name="a", score=1.0, weight=1.0, detail=""),))
    assert weighted_score(refused, {"a": 5.0}) == 0.0


@pytest.mark.parametrize(
    ("flags", "shaping", "expected"),
    [
        ((), Shaping(flagged="mask"), Reward(value=1.0)),
        (("exit",), Shaping(flagged="zero"), Reward(value=0.0)),
        (("exit",), Shaping(flagged="mask"), Reward(value=None, masked="flag")),
        (("exit",), Shaping(flagged="mask", flags={"exit": "count"}), Reward(value=1.0)),
        (("exit", "patch"), Shaping(flags={"exit": "zero", "patch": "mask"}), Reward(value=None, masked="flag")),
        (("exit", "patch"), Shaping(flags={"exit": "zero"}), Reward(value=0.0)),
    ],
)
def test_flags_of_cheating(flags, shaping, expected):
    """A flagged sample counts, counts as 0 or is masked; the strictest policy among its flags holds."""
    assert shaped(verdict(1.0, flags=flags), shaping, tokens=1) == expected


@pytest.mark.parametrize(("tokens", "punishment"), [(0, 0.0), (80, 0.0), (85, 0.25), (90, 0.5), (100, 1.0), (500, 1.0)])
def test_overlong_punishment(tokens, punishment):
    """DAPO's equation 13: nothing up to the start, a line, and all from the limit on."""
    assert overlong_punishment(tokens, Shaping(overlong_start=80, overlong_limit=100)) == pytest.approx(punishment)


def test_punishment_is_subtracted_and_then_clipped():
    """A wrong and overlong response is below a wrong one, unless rewards are cut there."""
    shaping = {"overlong_start": 2, "overlong_limit": 4, "overlong_penalty": 0.5}
    assert shaped(verdict(0.0), Shaping(**shaping), tokens=4).value == -0.5
    assert shaped(verdict(1.0), Shaping(**shaping), tokens=3).value == 0.75
    assert shaped(verdict(0.0), Shaping(**shaping, low=-0.1), tokens=4).value == -0.1
    assert shaped(verdict(1.0), Shaping(high=0.8), tokens=1).value == 0.8


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("checks", {"checks": {"a": -1.0}}),
        ("overlong_start", {"overlong_start": 9, "overlong_limit": 9}),
        ("overlong_penalty", {"overlong_penalty": -1.0}),
        ("low", {"low": 1.0, "high": 0.0}),
    ],
)
def test_senseless_options_are_refused(name, options):
    """The message starts with the option's name."""
    with pytest.raises(ValueError, match=f"^{name}"):
        Shaping(**options)
