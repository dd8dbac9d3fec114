import asyncio

import pytest

from reward_server.runs import Runs
from sandboxes.base import Ending, Execution, Job, Limits
from sandboxes.errors import BoxDiedError, SandboxUnavailableError
from sandboxes.scripted_sandbox import ScriptedSandbox


class Noted(ScriptedSandbox):
    """Notes which jobs came together; says each job's word back once the gate is open."""

    def __init__(self, *, concurrency=1):
        super().__init__(self.say, concurrency=concurrency)
        self.together = []
        self.gate = asyncio.Event()
        self.cancelled = 0
        self._open = True

    async def say(self, job):
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if job.payload["word"] == "broken":
            raise BoxDiedError("the box died")
        return Execution(ending=Ending.EXITED, report={"said": job.payload["word"]})

    async def run_together(self, jobs):
        self.together.append([job.payload["word"] for job in jobs])
        return await super().run_together(jobs)


def job(word, *, company="responses", limits=Limits(), program="reads"):
    return Job(program=program, payload={"word": word}, limits=limits, company=company)


@pytest.fixture
def sandbox():
    return Noted()


async def begin(runs, *jobs, party=None):
    """Start the jobs, and let all come as far as they do."""
    tasks = [asyncio.create_task(runs.run(each, party)) for each in jobs]
    for _ in range(20):
        await asyncio.sleep(0)
    return tasks


async def words(tasks):
    return [ran.execution.report["said"] for ran in await asyncio.gather(*tasks)]


async def test_what_queues_at_the_same_time_shares_a_run(sandbox):
    """Jobs that wait for a turn are served by one run, and each gets its own execution."""
    runs = Runs(sandbox)
    tasks = await begin(runs, job("first")) + await begin(runs, *(job(str(i)) for i in range(5)))
    sandbox.gate.set()
    assert await words(tasks) == ["first", "0", "1", "2", "3", "4"]
    assert sandbox.together == [["first"], ["0", "1", "2", "3", "4"]]


async def test_a_run_has_a_bounded_number_of_seats(sandbox):
    """No run serves so many jobs that its turn becomes long."""
    runs = Runs(sandbox)
    tasks = await begin(runs, *(job(str(i)) for i in range(60)))
    sandbox.gate.set()
    assert await words(tasks) == [str(i) for i in range(60)]
    assert max(map(len, sandbox.together)) == 16


async def test_large_payloads_do_not_share(sandbox):
    """A run's payloads are bounded in bytes; what alone has more goes alone."""
    runs = Runs(sandbox)
    tasks = await begin(runs, job("first"), job("x" * (3 << 20)), job("y" * (3 << 20)), job("z" * (5 << 20)))
    sandbox.gate.set()
    await asyncio.gather(*tasks)
    assert [len(each) for each in sandbox.together] == [2, 1, 1]


@pytest.mark.parametrize(
    "other",
    [
        {"word": "other", "program": "reads_too"},
        {"word": "other", "limits": Limits(cpu_seconds=1.0)},
        {"word": "other", "company": ""},
        {"word": "other", "company": "references"},
    ],
)
async def test_only_what_is_alike_shares_a_run(sandbox, other):
    """Another program, other limits, or a job that runs what it is given: another run."""
    runs = Runs(sandbox)
    tasks = await begin(runs, job("first"), job("a"), job(**other), job("b"))
    sandbox.gate.set()
    await asyncio.gather(*tasks)
    assert all("other" not in words or len(words) == 1 for words in sandbox.together)


async def test_parties_share_no_run(sandbox):
    """What one client sends never meets what another sends."""
    runs = Runs(sandbox)
    tasks = await begin(runs, job("first"), party="a")
    tasks += await begin(runs, job("a1"), job("a2"), party="a") + await begin(runs, job("b1"), job("b2"), party="b")
    sandbox.gate.set()
    await asyncio.gather(*tasks)
    assert sorted(sandbox.together) == [["a1", "a2"], ["b1", "b2"], ["first"]]


async def test_one_that_leaves_stops_nobody_else(sandbox):
    """A cancelled job gives its seat up; while it runs, the others' run goes on."""
    runs = Runs(sandbox)
    (first,) = await begin(runs, job("first"))
    rest = await begin(runs, *(job(str(i)) for i in range(4)))
    rest[1].cancel()
    sandbox.gate.set()
    assert await words([first, rest[0], *rest[2:]]) == ["first", "0", "2", "3"]
    assert sandbox.together == [["first"], ["0", "2", "3"]]


async def test_the_last_that_leaves_ends_the_run(sandbox):
    """When nobody waits for it any more, a run is cancelled, and its turn is free again."""
    runs = Runs(sandbox)
    tasks = await begin(runs, job("a"))
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    assert sandbox.cancelled == 1
    sandbox.gate.set()
    assert await words(await begin(runs, job("b"))) == ["b"]


async def test_all_that_wait_may_leave_before_their_turn(sandbox):
    """A gathering that nobody is left in never reaches the sandbox."""
    runs = Runs(sandbox)
    (first,) = await begin(runs, job("first"))
    waiting = await begin(runs, job("a"), job("b"))
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    tasks = await begin(runs, job("c"))
    sandbox.gate.set()
    assert await words([first, *tasks]) == ["first", "c"]
    assert sandbox.together == [["first"], ["c"]]


async def test_trouble_with_one_is_nobody_elses(sandbox):
    """Of those who share a run, only the one that breaks its box hears of it."""
    runs = Runs(sandbox)
    tasks = await begin(runs, job("first"), job("broken"), job("last"))
    sandbox.gate.set()
    first, broken, last = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(broken, BoxDiedError)
    assert [first.execution.report["said"], last.execution.report["said"]] == ["first", "last"]


async def test_trouble_with_the_sandbox_is_told_to_all(sandbox):
    """Where nothing can be run at all, everyone hears why."""
    sandbox._open = False
    ends = await asyncio.gather(*await begin(Runs(sandbox), job("a"), job("b")), return_exceptions=True)
    assert [type(end) for end in ends] == [SandboxUnavailableError, SandboxUnavailableError]


async def test_a_run_that_the_sandbox_gives_up_is_its_trouble(sandbox):
    """A run that is cancelled by the sandbox itself is no cancellation of those who wait for it."""

    async def give_up(jobs):
        raise asyncio.CancelledError

    sandbox.run_together = give_up
    ends = await asyncio.gather(*await begin(Runs(sandbox), job("a"), job("b")), return_exceptions=True)
    assert [type(end) for end in ends] == [SandboxUnavailableError, SandboxUnavailableError]


async def test_times_are_shares(sandbox):
    """The times of those who shared a run add up to the run's."""
    runs = Runs(sandbox)
    tasks = await begin(runs, job("first"), *(job(str(i)) for i in range(4)))
    sandbox.gate.set()
    _, *together = await asyncio.gather(*tasks)
    assert len({ran.run_seconds for ran in together}) == 1
    assert all(ran.queue_seconds >= 0 for ran in together)
