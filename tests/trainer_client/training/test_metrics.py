"""What a batch was like, and what a person is told about it."""

from episodes import failure, group, tasks, verdict

from trainer_client.training.advice import Advice
from trainer_client.training.metrics import batch_metrics, clean, has_spread


def test_a_batch_in_numbers():
    """Rewards, masks with their reasons, spread, rulings, flags and checks are counted; masked samples in no mean."""
    groups = [
        group(0, verdict(1.0, "early_exit", checks=[("call[0]", 1.0), ("call[1]", 0.0)]), verdict(0.5), failure()),
        group(1, verdict(0.0), verdict(0.0), verdict(0.0), finish_reason="length"),
    ]
    values = batch_metrics(groups, tasks(2, "code_tests"))
    assert values["reward/mean"] == 0.3
    assert values["reward/source/a"] == values["reward/grader/code_tests"] == 0.3
    assert values["masked/share"] == values["masked/sandbox_unavailable"] == 1 / 6
    assert (values["groups/without_spread"], values["groups/hopeless"], values["groups/solved"]) == (0.5, 0.5, 0.0)
    assert (values["length/truncated"], values["length/mean"]) == (0.5, 3.0)
    assert (values["ruling/accepted"], values["flags/share"], values["flags/early_exit"]) == (0.2, 0.2, 0.2)
    assert values["check/code_tests/call[#]"] == 0.5


def test_nothing_graded_is_no_zero():
    """Where everything is masked there is no mean reward, rather than one of 0."""
    values = batch_metrics([group(0, failure(), failure())], tasks(1))
    assert values["masked/share"] == 1.0
    assert not [name for name in values if name.startswith(("reward", "score"))]


def test_spread():
    """A group has spread when two rewards differ; a masked sample has none."""
    assert has_spread(group(0, verdict(1.0), verdict(0.0), failure()))
    assert not has_spread(group(0, verdict(1.0), verdict(1.0), failure()))
    assert not has_spread(group(0, failure(), failure()))


def test_hostile_names_are_cleaned_and_bounded():
    """Names that a response chose cannot move the cursor, break lines, or be without end, and not too many count."""
    assert clean("a\x1b[2J\nb" + "x" * 1000, 20) == "a [2J b" + "x" * 12 + "…"
    letters = [f"{first}{second}" for first in "abcdefgh" for second in "abcdefgh"]
    values = batch_metrics([group(0, verdict(0.5, checks=[(name, 0.0) for name in letters]))], tasks(1))
    assert sum(name.startswith("check/") for name in values) == 20


def test_a_set_that_teaches_nothing_is_named_once():
    """No reward at all, always full reward, nothing graded, all cut: said once each, with what to change."""
    advice = Advice()
    hopeless = [group(0, *[verdict(0.0)] * 16)]
    assert advice.take(hopeless, tasks(1)) == []
    (said,) = advice.take(hopeless, tasks(1))
    assert said.startswith("a: not one of the last 32 responses earned anything (wrong_answer 100%)")
    assert "trainer-client sft" in said
    assert advice.take(hopeless, tasks(1)) == []
    assert advice.take([group(0, *[verdict(0.5)] * 8)], tasks(1)) == []
    for results, text in (
        ([verdict(1.0)] * 256, "a: all of the last 256 responses earned everything"),
        ([failure()] * 256, "a: not one of the last 256 responses could be graded (sandbox_unavailable 100%)"),
    ):
        (said,) = advice.take([group(0, *results)], tasks(1))
        assert said.startswith(text)
    (said,) = advice.take([group(0, *[verdict(0.0)] * 256, finish_reason="length")], tasks(1))
    assert "rollout.sampling.max_tokens" in said
