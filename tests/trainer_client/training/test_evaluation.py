"""Estimates, their intervals, and what is done when something becomes worse."""

import random
from itertools import combinations
from math import comb

import pytest
from episodes import failure, group, tasks, verdict

from trainer_client.training.evaluation import EvaluationConfig, Watch, estimate, pass_at_k, report
from trainer_client.training.tasks import TaskSource


@pytest.mark.parametrize(("samples", "right"), [(4, 0), (4, 1), (4, 3), (4, 4), (7, 2)])
@pytest.mark.parametrize("k", [1, 2, 4])
def test_pass_at_k_is_the_mean_over_all_choices(samples, right, k):
    """The estimate is the share of k-subsets of the samples that have a right one."""
    subsets = list(combinations(range(samples), k))
    assert len(subsets) == comb(samples, k)
    share = sum(any(i < right for i in subset) for subset in subsets) / len(subsets)
    assert pass_at_k(samples, right, k) == pytest.approx(share)


def test_intervals_are_wilsons_for_single_answers():
    """With one answer a task the interval is Wilson's; where all tasks agree it is not empty."""
    found = estimate([1.0] * 50 + [0.0] * 50)
    assert (found.mean, found.low, found.high) == (0.5, pytest.approx(0.404, abs=2e-3), pytest.approx(0.596, abs=2e-3))
    sure = estimate([1.0] * 20)
    assert (sure.mean, sure.high) == (1.0, 1.0)
    assert sure.low == pytest.approx(0.839, abs=1e-3)
    assert (estimate([]).tasks, estimate([]).low, estimate([]).high) == (0, 0.0, 1.0)


def test_intervals_cover():
    """Of intervals from answers that are correlated within tasks, about 95 of 100 hold the truth."""
    chance = random.Random(5)
    covered = 0
    for _ in range(400):
        rates = [chance.random() for _ in range(60)]
        means = [sum(chance.random() < rate for _ in range(4)) / 4 for rate in rates]
        found = estimate(means)
        covered += found.low <= 0.5 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_failures_are_in_no_denominator():
    """Masked samples neither pass nor fail, and a task with nothing else is not counted."""
    groups = [
        group(0, verdict(1.0), failure(), verdict(0.5), failure()),
        group(1, failure(), failure(), failure(), failure()),
    ]
    found = report("a", groups, tasks(2), (1, 2, 4))
    assert (found.pass_1.mean, found.pass_1.tasks, found.masked) == (0.5, 1, 0.75)
    assert (found.pass_at[2].mean, found.pass_at[4].tasks) == (1.0, 0)
    assert found.score.mean == 0.75
    assert found.graders == {"math_answer": 0.5}


def evaluated(name, right, *, general=False):
    groups = [group(i, verdict(float(i < right))) for i in range(100)]
    return report(name, groups, tasks(100), (1,), general=general)


@pytest.fixture
def watch():
    return Watch(
        EvaluationConfig(held_out=(TaskSource(path="held"),), general=(TaskSource(path="general"),), regression=0.1)
    )


def test_a_fall_is_noticed(watch):
    """Held-out sets are held against their best, general ones against the baseline; small falls are noise."""
    assert watch.take(0, [evaluated("held", 30), evaluated("general", 60, general=True)]) == []
    assert watch.take(1, [evaluated("held", 70), evaluated("general", 55, general=True)]) == []
    assert [
        str(fallen) for fallen in watch.take(2, [evaluated("held", 45), evaluated("general", 40, general=True)])
    ] == [
        "pass@1 on held fell from 0.700 to 0.450",
        "pass@1 on general fell from 0.600 to 0.400",
    ]
    assert (watch.best_step, watch.best_mean) == (1, 0.7)


def test_what_an_outage_left_decides_nothing(watch):
    """A set that is mostly without verdicts is no regression, and what is left of an evaluation is not the best."""
    watch.take(0, [evaluated("held", 30), evaluated("other", 60)])
    for graded in (0, 40):
        groups = [group(i, verdict(0.0) if i < graded else failure()) for i in range(100)]
        left = report("other", groups, tasks(100), (1,))
        assert watch.take(1, [evaluated("held", 90), left]) == []
        assert (watch.best_step, watch.best_mean) == (0, pytest.approx(0.45))
    watch.take(2, [evaluated("held", 90), evaluated("other", 60)])
    assert watch.best_step == 2


def test_what_costs_a_general_set_is_not_the_best(watch):
    """A step that is best on what is trained, and has lost what it must not lose, is not kept as the best."""
    watch.take(0, [evaluated("held", 30), evaluated("general", 60, general=True)])
    assert watch.take(1, [evaluated("held", 90), evaluated("general", 20, general=True)])
    assert watch.best_step == 0


def test_a_resumed_watch_remembers(watch):
    """Baseline, best and roll-backs survive a stop."""
    watch.take(0, [evaluated("held", 30)])
    watch.take(1, [evaluated("held", 80)])
    again = Watch(EvaluationConfig())
    again.restore(watch.state())
    assert (again.best_step, again.best_mean, again.state()) == (1, 0.8, watch.state())
    assert again.take(2, [evaluated("held", 30)])
