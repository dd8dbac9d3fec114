"""Drawings: generated in one thread, graded in another, waited for in a third. The engine and the server are played."""

import threading
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from trainer_client.training import sampler as sampling_module
from trainer_client.training.rollout import Completion, SamplingParameters
from trainer_client.training.sampler import Sampler
from trainer_client.training.scoring import Episode, OutageError, ScoredGroup


@dataclass(frozen=True)
class Asked:
    prompt_token_ids: tuple[int, ...]


TASKS = [Asked((position, 7)) for position in range(6)]
SAMPLING = SamplingParameters(max_tokens=3)


class Engine:
    """Writes the groups of each drawing in an order of its own, last first; a gate holds the last one back."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.calls = []
        self.closed = 0
        self.trouble = None

    def generate(self, prompts, group_size, sampling):
        self.calls.append((list(prompts), group_size, sampling))
        written = Completion(token_ids=(1, 2), logprobs=(-1.0, -1.0), text="text", finish_reason="stop")
        try:
            for position in reversed(range(len(prompts))):
                if position == 0:
                    assert self.gate.wait(20)
                    if self.trouble:
                        raise self.trouble
                yield position, (written,) * group_size
        finally:
            self.closed += 1


class Grader:
    """Grades each group in a thread of its own, once its gate is open."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.futures = []
        self.trouble = None
        self._threads = ThreadPoolExecutor(8)

    def submit(self, position, task, completions):
        future = Future()
        self.futures.append(future)
        self._threads.submit(self._grade, future, position, task, completions)
        return future

    def _grade(self, future, position, task, completions):
        self.gate.wait(20)
        if not future.set_running_or_notify_cancel():
            return
        if self.trouble:
            future.set_exception(self.trouble)
            return
        episodes = [
            Episode(
                task_index=position,
                prompt_token_ids=task.prompt_token_ids,
                completion=completion,
                result=None,
                reward=1.0,
            )
            for completion in completions
        ]
        future.set_result(ScoredGroup(task_index=position, episodes=tuple(episodes)))


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def grader():
    return Grader()


@pytest.fixture
def sampler(engine, grader, tmp_path):
    made = Sampler(engine, grader, tmp_path, sampling=SAMPLING, seed=3)
    yield made
    engine.gate.set()
    grader.gate.set()
    made.close()


def test_groups_come_in_the_order_of_their_tasks(sampler, engine):
    """Whatever the engine finishes first; numbered from `first` up; the seed is fixed by run and purpose."""
    groups = sampler.begin(TASKS, 2, SAMPLING, "step 0", first=10).groups()
    assert [group.task_index for group in groups] == [10, 11, 12, 13, 14, 15]
    assert [group.episodes[0].prompt_token_ids for group in groups] == [task.prompt_token_ids for task in TASKS]
    ((prompts, count, sampling),) = engine.calls
    assert (prompts, count) == ([task.prompt_token_ids for task in TASKS], 2)
    assert sampling == replace(SAMPLING, seed=sampling.seed)
    sampler.begin(TASKS, 2, SAMPLING, "step 1").groups()
    assert engine.calls[1][2].seed not in {sampling.seed, None}


def test_groups_are_graded_while_others_are_written(sampler, engine, grader):
    """Each group goes to the reward server at once, not when the last is written."""
    engine.gate.clear()
    drawing = sampler.begin(TASKS, 2, SAMPLING, "step 0")
    while len(grader.futures) < 5:
        time.sleep(0.001)
    assert all(future.result(20) for future in grader.futures)
    engine.gate.set()
    assert len(drawing.groups()) == 6


def test_the_engine_goes_on_while_rewards_are_missing(sampler, engine, grader):
    """What is written frees the engine for the next drawing; its rewards may come later."""
    grader.gate.clear()
    first, second = (sampler.begin(TASKS, 1, SAMPLING, purpose) for purpose in ("step 0", "step 1"))
    first.wait_written()
    second.wait_written()
    assert len(engine.calls) == 2
    grader.gate.set()
    assert [len(drawing.groups()) for drawing in (first, second)] == [6, 6]


def test_waiting_for_rewards_is_measured(sampler, grader, monkeypatch):
    """It begins when everything is written; what was graded until then was not waited for."""
    clock, looked_at = [0.0], threading.Event()

    def monotonic():
        looked_at.set()
        return clock[0]

    monkeypatch.setattr(sampling_module, "time", SimpleNamespace(monotonic=monotonic))
    hidden = sampler.begin(TASKS, 1, SAMPLING, "step 0")
    hidden.wait_written()
    assert all(future.result(20) for future in grader.futures)
    hidden.groups()
    grader.gate.clear()
    late = sampler.begin(TASKS, 1, SAMPLING, "step 1")
    late.wait_written()

    looked_at.clear()

    def at_last():
        assert looked_at.wait(20)
        clock[0] += 5.0
        grader.gate.set()

    threading.Thread(target=at_last).start()
    late.groups()
    assert (hidden.timings.reward_wait, late.timings.reward_wait) == (0.0, 5.0)
    assert late.timings.tokens == 12
    together = hidden.timings + late.timings
    assert (together.reward_wait, together.tokens) == (5.0, 24)


def test_trouble_of_the_engine_is_raised(sampler, engine, grader):
    """What generating raises comes out of the drawing; what was being graded of it is given up."""
    engine.trouble = RuntimeError("the engine broke")
    grader.gate.clear()
    drawing = sampler.begin(TASKS, 1, SAMPLING, "step 0")
    with pytest.raises(RuntimeError, match="the engine broke"):
        drawing.groups()
    assert all(future.cancelled() for future in grader.futures)
    engine.trouble = None
    grader.gate.set()
    assert len(sampler.begin(TASKS, 1, SAMPLING, "step 1").groups()) == 6


def test_trouble_of_grading_ends_the_drawing_early(sampler, engine, grader):
    """When the run shall stop, no further group is written for it."""
    grader.trouble = OutageError("the server is away")
    engine.gate.clear()
    drawing = sampler.begin(TASKS, 1, SAMPLING, "step 0")
    while not any(future.done() for future in grader.futures):
        time.sleep(0.001)
    engine.gate.set()
    with pytest.raises(OutageError):
        drawing.wait_written()
    with pytest.raises(OutageError):
        drawing.groups()
    assert engine.closed == 1


def test_closing_gives_up_what_is_under_way(sampler, engine, grader):
    """The engine stops at the next group, and nothing stays at the server or waits for its turn."""
    engine.gate.clear()
    grader.gate.clear()
    running, waiting = (sampler.begin(TASKS, 1, SAMPLING, purpose) for purpose in ("step 0", "step 1"))
    while len(grader.futures) < 5:
        time.sleep(0.001)
    threading.Timer(0.05, engine.gate.set).start()
    sampler.close()
    sampler.close()
    for drawing in (running, waiting):
        with pytest.raises(CancelledError):
            drawing.groups()
    assert engine.closed == 1
    assert all(future.cancelled() for future in grader.futures)
