import asyncio
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
import toy

from reward_server.graders import Entry
from reward_server.scoring import Engine, QueueFullError, Sample, Task
from reward_server.tasks.code_tests import CodeTestsTask
from reward_server.tasks.math_answer import MathAnswerTask
from reward_server.tasks.text_match import TextMatchTask
from reward_server.verdict import Failure, FailureReason, Ruling, Verdict
from sandboxes.base import Ending, Execution, Limits
from sandboxes.errors import BoxDiedError
from sandboxes.scripted_sandbox import ScriptedSandbox


def sample(response, expected="right", grader="code_tests"):
    task = Task(grader=grader, read=lambda: toy.ToyTask(prefix=expected), digest=expected.encode())
    return Sample(task=task, response=response, limits=Limits())


def halves(response):
    task = Task(grader="halves", read=lambda: toy.HalvesTask(first="a", second="b"), digest=b"halves")
    return Sample(task=task, response=response, limits=Limits())


@pytest.fixture
def gate():
    return toy.Gate()


async def grade(engine, *samples, **options):
    return [await task for task in engine.submit(samples, **options)]


def engine_over(handler, *, concurrency=2, **options):
    sandbox = ScriptedSandbox(handler, concurrency=concurrency)
    sandbox._open = True
    return Engine(sandbox, graders=toy.GRADERS, **options), sandbox


class Whereabouts(toy.Toy):
    """Remembers in which thread it planned."""

    def __init__(self):
        self.threads = []

    def plan(self, task, response, limits):
        self.threads.append(threading.current_thread())
        return super().plan(task, response, limits)


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_response_is_planned_run_and_judged():
    """Each sample gets the verdict that its grader gives on what the sandbox saw."""
    engine, _ = engine_over(toy.said)
    right, wrong = await grade(engine, sample("right"), sample("wrong"))
    assert (right.result.score, wrong.result.score) == (1.0, 0.0)
    assert right.sandboxed


async def test_an_early_verdict_needs_no_sandbox():
    """What the grader decides alone never reaches a box."""
    engine, sandbox = engine_over(toy.said)
    (graded,) = await grade(engine, sample(""))
    assert graded.result.ruling is Ruling.NO_ANSWER
    assert not graded.sandboxed
    assert sandbox.jobs == []


async def test_identical_samples_run_once(gate):
    """Identical samples share one run while it is under way, and each gets its own result."""
    engine, sandbox = engine_over(gate)
    tasks = engine.submit([sample("right")] * 5)
    await gate.begun.wait()
    await settle()
    gate.opened.set()
    graded = await asyncio.gather(*tasks)
    assert [item.result.score for item in graded] == [1.0] * 5
    assert [item.shared for item in graded] == [False, True, True, True, True]
    assert len(sandbox.jobs) == 1


async def test_a_verdict_is_remembered():
    """The same sample later is answered from memory and says so."""
    engine, sandbox = engine_over(toy.said)
    await grade(engine, sample("right"))
    (again,) = await grade(engine, sample("right"))
    assert again.shared
    assert again.run_seconds == 0.0
    assert len(sandbox.jobs) == 1


async def test_other_limits_are_another_sample():
    """Samples that differ in their limits alone are not identical."""
    engine, sandbox = engine_over(toy.said)
    await grade(engine, sample("right"), replace(sample("right"), limits=Limits(cpu_seconds=1.0)))
    assert len(sandbox.jobs) == 2


@pytest.mark.parametrize(
    "trouble", [{"ending": Ending.WALL_LIMIT}, {"pressed": True}], ids=["time limit", "some run was pressed"]
)
async def test_what_a_busy_machine_may_change_is_not_remembered(trouble):
    """Time limits, of the whole or of one run, are found out anew each time."""
    engine, sandbox = engine_over(lambda job: toy.said(job, **trouble))
    await grade(engine, sample("wrong"))
    await grade(engine, sample("wrong"))
    assert len(sandbox.jobs) == 2


async def test_a_failure_is_not_remembered():
    """After a fault the same sample is run again."""
    faults = [BoxDiedError("gone")]

    def once_broken(job):
        if faults:
            raise faults.pop()
        return toy.said(job)

    engine, _ = engine_over(once_broken)
    (first,) = await grade(engine, sample("right"))
    (second,) = await grade(engine, sample("right"))
    assert first.result.reason is FailureReason.SANDBOX_UNAVAILABLE
    assert first.result.retryable
    assert second.result.score == 1.0


@pytest.mark.parametrize(
    ("response", "expected", "reason"),
    [
        ("x", "", FailureReason.INVALID_TASK),
        ("break plan", "right", FailureReason.GRADER_ERROR),
        ("break judge", "right", FailureReason.GRADER_ERROR),
    ],
)
async def test_a_fault_is_a_failure_of_its_sample_alone(response, expected, reason):
    """Whatever goes wrong with one sample has no score, and leaves its neighbours theirs."""

    def handler(job):
        if job.payload["response"] == "break judge":
            return Execution(ending=Ending.EXITED, report={})
        return toy.said(job)

    engine, _ = engine_over(handler)
    bad, good = await grade(engine, sample(response, expected), sample("right"))
    assert isinstance(bad.result, Failure)
    assert bad.result.reason is reason
    assert isinstance(good.result, Verdict)


async def test_a_response_past_the_limit_is_graded_output_limit():
    """A response longer than the server takes scores 0 without a run; its size is counted in bytes of UTF-8."""
    engine, sandbox = engine_over(toy.said, max_response_bytes=10)
    fits, long = await grade(engine, sample("é" * 5), sample("é" * 6))
    assert fits.result.ruling is Ruling.WRONG_ANSWER
    assert long.result.ruling is Ruling.OUTPUT_LIMIT
    assert len(sandbox.jobs) == 1


async def test_a_full_queue_takes_all_or_nothing(gate):
    """A request that does not fit whole is refused whole, with a time after which to try again."""
    engine, _ = engine_over(gate, max_queued=3)
    tasks = engine.submit([sample("a"), sample("b")])
    with pytest.raises(QueueFullError) as refusal:
        engine.submit([sample("c"), sample("d")])
    assert refusal.value.retry_seconds > 0
    assert engine.accepted == 2
    gate.opened.set()
    await asyncio.gather(*tasks, *engine.submit([sample("c")]))
    await settle()
    assert engine.accepted == 0


async def test_samples_cancelled_before_they_begin_leave_the_queue(gate):
    """The room of a cancelled sample is free again, however early it is cancelled."""
    engine, sandbox = engine_over(gate, max_queued=2)
    tasks = engine.submit([sample("a"), sample("b")])
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await settle()
    assert engine.accepted == 0
    assert sandbox.jobs == []


async def test_the_run_ends_when_its_last_caller_goes(gate):
    """A run lives as long as someone waits for it, and no longer."""
    engine, _ = engine_over(gate)
    first, second = engine.submit([sample("a"), sample("a")])
    await gate.begun.wait()
    await settle()
    first.cancel()
    await settle()
    assert gate.cancelled == 0
    second.cancel()
    await asyncio.wait([first, second])
    assert gate.cancelled == 1


async def test_a_newcomer_does_not_share_a_run_that_is_being_cancelled():
    """A sample that comes while an identical one is being cancelled gets a run of its own and a verdict."""
    dying, begun = asyncio.Event(), asyncio.Event()

    async def slow_to_die(job):
        if begun.is_set():
            return toy.said(job)
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await dying.wait()

    engine, _ = engine_over(slow_to_die)
    (first,) = engine.submit([sample("right")])
    await begun.wait()
    first.cancel()
    await settle()
    (second,) = engine.submit([sample("right")])
    await settle()
    dying.set()
    assert (await second).result.score == 1.0


async def test_a_result_past_the_deadline_is_a_failure_and_its_run_ends(gate):
    """At the deadline what is not there becomes Failure DEADLINE, and what ran for it is cancelled."""
    engine, _ = engine_over(gate)
    (graded,) = await grade(engine, sample("a"), deadline=asyncio.get_running_loop().time() + 0.05)
    assert graded.result.reason is FailureReason.DEADLINE
    assert gate.cancelled == 1


async def test_a_run_that_the_sandbox_gives_up_is_a_failure():
    """A run cancelled by the sandbox itself is its trouble, not the caller's cancellation."""

    class GivesUp(ScriptedSandbox):
        async def run(self, job):
            raise asyncio.CancelledError

    engine = Engine(GivesUp(toy.said), graders=toy.GRADERS)
    (graded,) = await grade(engine, sample("a"))
    assert graded.result.reason is FailureReason.SANDBOX_UNAVAILABLE


async def test_requests_take_turns():
    """A small request is not kept waiting by all of a large one."""

    async def slowly(job):
        await asyncio.sleep(0.001)
        return toy.said(job)

    engine, sandbox = engine_over(slowly, concurrency=1)
    large = engine.submit([sample(f"large {i}") for i in range(20)], party="large")
    small = engine.submit([sample(f"small {i}") for i in range(3)], party="small")
    await asyncio.gather(*large, *small)
    order = [job.payload["response"] for job in sandbox.jobs]
    assert max(i for i, text in enumerate(order) if text.startswith("small")) < 10


async def test_the_samples_of_a_request_share_a_run():
    """They are planned one by one, and the run waits for those that are about to come."""
    together = []

    class Noted(ScriptedSandbox):
        async def run_together(self, jobs):
            together.append(len(jobs))
            return await super().run_together(jobs)

    sandbox = Noted(lambda job: Execution(ending=Ending.EXITED, report={"outcome": "equal"}))
    task = Task(grader="math_answer", read=lambda: MathAnswerTask(expected="x+1"), digest=b"task")
    async with sandbox:
        samples = [Sample(task=task, response=f"\\boxed{{x+{i}}}", limits=Limits()) for i in range(8)]
        graded = await asyncio.gather(*Engine(sandbox).submit(samples))
    assert [each.result.score for each in graded] == [1.0] * 8
    assert together == [8]


async def test_no_more_runs_at_once_than_the_sandbox_takes(gate):
    """What waits, waits here, in turn; the sandbox sees no more than it can run."""
    engine, sandbox = engine_over(gate, concurrency=2)
    tasks = engine.submit([sample(str(i)) for i in range(10)])
    await gate.begun.wait()
    await asyncio.sleep(0.01)
    assert len(sandbox.jobs) == 2
    gate.opened.set()
    await asyncio.gather(*tasks)


async def test_a_task_is_prepared_once():
    """A task's reference is run for the first of its samples, twice to be sure, and then remembered."""
    engine, sandbox = engine_over(toy.said)
    await grade(engine, *(sample(str(i), expected="reference") for i in range(5)))
    assert [job.program for job in sandbox.jobs].count("reference") == 2


async def test_a_flaky_reference_makes_the_task_invalid():
    """A reference that does one thing and then another is the data set's trouble, not a score."""
    turns = iter(range(100))

    def handler(job):
        return Execution(ending=Ending.EXITED, report={"said": next(turns)})

    engine, _ = engine_over(handler)
    (graded,) = await grade(engine, sample("x", expected="reference"))
    assert graded.result.reason is FailureReason.INVALID_TASK
    assert "different results" in graded.result.message


async def test_a_reference_that_failed_with_the_sandbox_is_tried_again():
    """A box lost under a reference spoils only the samples that waited for it."""
    faults = [BoxDiedError("gone")]

    def handler(job):
        if job.program == "reference" and faults:
            raise faults.pop()
        return toy.said(job)

    engine, _ = engine_over(handler)
    (first,) = await grade(engine, sample("reference", expected="reference"))
    (second,) = await grade(engine, sample("reference", expected="reference"))
    assert first.result.reason is FailureReason.SANDBOX_UNAVAILABLE
    assert second.result.score == 1.0


async def test_a_composite_is_graded_by_its_parts():
    """Each part is graded as a sample of its own; the composite says what their verdicts come to."""
    engine, sandbox = engine_over(toy.said)
    (graded,) = await grade(engine, halves("a x"))
    assert graded.result.score == 0.5
    assert graded.sandboxed
    assert len(sandbox.jobs) == 2


async def test_a_failure_of_a_part_is_the_whole_s():
    """A composite with a part that could not be graded has no score."""

    def handler(job):
        if job.payload["response"] == "x":
            raise BoxDiedError("gone")
        return toy.said(job)

    engine, _ = engine_over(handler)
    (graded,) = await grade(engine, halves("a x"))
    assert graded.result.reason is FailureReason.SANDBOX_UNAVAILABLE


async def test_a_composite_needs_one_turn_at_a_time():
    """Parts take turns like everything else, so that a composite cannot wait for itself."""
    engine, _ = engine_over(toy.said, concurrency=1)
    graded = await asyncio.wait_for(grade(engine, *(halves(f"a {i}") for i in range(5))), 60)
    assert all(item.result.score == 0.5 for item in graded)


async def test_a_sample_whose_verdict_differs_on_another_run_makes_its_task_invalid():
    """What is graded right once and wrong once is no signal: the task is refused, with both verdicts as evidence."""
    answers = iter(["right", "wrong"])

    def fickle(job):
        return Execution(ending=Ending.EXITED, report={"said": next(answers)})

    engine, _ = engine_over(fickle, verdict_runs=2)
    (graded,) = await grade(engine, sample("right"))
    assert graded.result.reason is FailureReason.INVALID_TASK
    assert "1 (accepted) and 0 (wrong_answer)" in graded.result.message


async def test_a_response_that_differs_on_another_run_is_not_spared_its_grade():
    """Where the task's own reference is steady, the lower verdict counts, whichever came first, and says so."""
    for order in (["reference", "wrong"], ["wrong", "reference"]):
        answers = iter(order)

        def fickle(job, answers=answers):
            said = "reference" if job.program == "reference" else next(answers)
            return Execution(ending=Ending.EXITED, report={"said": said})

        engine, _ = engine_over(fickle, verdict_runs=2)
        (graded,) = await grade(engine, sample("x", "reference"))
        assert graded.result.score == 0.0
        assert [flag.name for flag in graded.result.flags] == ["unsteady_response"]


async def test_a_response_runs_while_its_reference_does(gate):
    """Nobody waits for the reference but the judge; when the reference is no good, what ran is ended."""
    engine, sandbox = engine_over(gate, concurrency=3)
    (task,) = engine.submit([sample("x", "reference")])
    await settle()
    assert sorted(job.program for job in sandbox.jobs) == ["reference", "reference", "toy"]
    gate.opened.set()
    assert (await task).result.score == 0.0


async def test_an_unsteady_reference_ends_what_runs(gate):
    """A reference that does now this, now that makes the task invalid at once."""
    answers = iter("ab")

    async def fickle(job):
        if job.program == "reference":
            return Execution(ending=Ending.EXITED, report={"said": next(answers)})
        return await gate(job)

    engine, _ = engine_over(fickle, concurrency=3)
    (graded,) = await grade(engine, sample("x", "reference"))
    assert graded.result.reason is FailureReason.INVALID_TASK
    assert gate.cancelled == 1


async def test_a_steady_sample_keeps_its_verdict_over_several_runs():
    """The same verdict twice is the verdict."""
    engine, sandbox = engine_over(toy.said, verdict_runs=2)
    (graded,) = await grade(engine, sample("right"))
    assert graded.result.score == 1.0
    assert len(sandbox.jobs) == 2


@pytest.mark.parametrize(("characters", "comparisons", "aside"), [(100, 1, False), (5_000, 1, True), (100, 65, True)])
async def test_long_planning_does_not_hold_the_event_loop(characters, comparisons, aside):
    """A long response, or one that is compared with many texts, is planned in a thread of its own."""
    grader = Whereabouts()
    engine = Engine(ScriptedSandbox(toy.said), graders={"code_tests": Entry(grader, CodeTestsTask, ())})
    record = SimpleNamespace(prefix="x", comparisons=comparisons)
    one = Sample(task=Task(grader="code_tests", read=lambda: record, digest=b"t"), response="", limits=Limits())
    await grade(engine, replace(one, response="x" * characters))
    assert [thread is not threading.main_thread() for thread in grader.threads] == [aside]


def test_a_text_is_compared_with_all_that_the_task_names():
    """References and forbidden texts alike."""
    assert TextMatchTask(expected="a", accepted=("b", "c"), forbidden=("d",)).comparisons == 4
