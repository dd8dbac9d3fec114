"""Which task comes next: shares, epochs, difficulty, and going on after a stop."""

from collections import Counter

import pytest

from trainer_client.training.curriculum import Curriculum, CurriculumConfig
from trainer_client.training.tasks import Task, TaskSet


def task_set(name, size, weight=1.0):
    def task(i):
        return Task(
            task={},
            name=f"{name}/{i}",
            source=name,
            grader="math_answer",
            prompt_token_ids=(1,),
            prompt="",
            demonstrations=(),
        )

    return TaskSet(name=name, weight=weight, tasks=tuple(task(i) for i in range(size)))


def curriculum(*sets, mode="off", seed=0):
    return Curriculum(sets, CurriculumConfig(mode=mode), seed)


def test_sets_are_mixed_by_weight():
    """Each set's share of all draws is its weight's, to within one, at any time."""
    drawing = curriculum(task_set("a", 5, 3.0), task_set("b", 50, 1.0))
    drawn = Counter()
    for count in (1, 2, 5, 32):
        drawn.update(task.source for task in drawing.draw(count))
        total = drawn.total()
        assert abs(drawn["a"] - 0.75 * total) <= 1


def test_an_epoch_asks_everything_once():
    """Without a curriculum each task comes once an epoch, in another order each."""
    drawing = curriculum(task_set("a", 8))
    first, second = ([task.name for task in drawing.draw(8)] for _ in range(2))
    assert sorted(first) == sorted(second)
    assert len(set(first)) == 8
    assert first != second


@pytest.mark.parametrize("mode", ["off", "difficulty"])
def test_a_resumed_run_asks_the_same(mode):
    """What is drawn after a stop is what would have been drawn without it."""
    sets = (task_set("a", 7), task_set("b", 3, 2.0))
    whole = curriculum(*sets, mode=mode)
    for task in whole.draw(20):
        whole.measure(task, [1.0, 0.0, 0.0])
    state = whole.state()
    expected = [task.name for task in whole.draw(30)]
    resumed = curriculum(*sets, mode=mode)
    resumed.restore(state)
    assert [task.name for task in resumed.draw(30)] == expected


def test_what_teaches_nothing_is_asked_seldom():
    """Tasks measured as solved or hopeless come less often than those between, and never cease to come."""
    drawing = curriculum(task_set("a", 3), mode="difficulty")
    for task in drawing.draw(3):
        drawing.measure(task, {"a/0": [0.0], "a/1": [1.0, 0.0], "a/2": [1.0]}[task.name])
    counts = Counter(task.name for task in drawing.draw(600))
    assert counts["a/1"] > 4 * counts["a/0"] > 0
    assert counts["a/1"] > 4 * counts["a/2"] > 0


def test_difficulty_is_measured_anew():
    """A task that is no longer solved comes back; masked groups measure nothing."""
    drawing = curriculum(task_set("a", 1), mode="difficulty")
    (task,) = drawing.draw(1)
    drawing.measure(task, [])
    assert drawing.preference(task) == 1.0
    drawing.measure(task, [1.0, 1.0])
    assert drawing.preference(task) == pytest.approx(0.1)
    drawing.measure(task, [0.0, 0.0])
    assert drawing.preference(task) == pytest.approx(1.0)
