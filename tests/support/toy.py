"""A toy grader that runs over the scripted sandbox: the box repeats the response, the grader compares it."""

import asyncio
from dataclasses import dataclass

from reward_server.errors import InvalidTaskError
from reward_server.graders import Entry
from reward_server.graders.base import Part
from reward_server.tasks.code_tests import CodeTestsTask
from reward_server.verdict import Ruling, Verdict, ruling_for
from sandboxes.base import Ending, Execution, Job


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyTask:
    """What the toy needs of a CodeTestsTask: the expected response is its prefix."""

    prefix: str = ""

    def __post_init__(self):
        if not self.prefix:
            raise InvalidTaskError("prefix", "is empty")


class Toy:
    name = "code_tests"
    version = "toy"

    def prepare(self, task, limits):
        return Job(program="reference", payload={"response": task.prefix}) if "reference" in task.prefix else None

    def plan(self, task, response, limits):
        if not response:
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="nothing")
        if response == "break plan":
            raise RuntimeError("the toy is broken")
        return Job(program="toy", payload={"response": response}, limits=limits)

    def judge(self, task, job, execution, reference):
        score = float(execution.report["said"] == task.prefix)
        ruling = Ruling.TIME_LIMIT if execution.ending is Ending.WALL_LIMIT else ruling_for(score)
        return Verdict(score=score, ruling=ruling, summary="toy")


@dataclass(frozen=True, slots=True, kw_only=True)
class HalvesTask:
    """A composite of two toys."""

    first: str
    second: str


class Halves:
    name = "halves"
    version = "toy"

    def parts(self, task, response):
        first, _, second = response.partition(" ")
        one, other = ToyTask(prefix=task.first), ToyTask(prefix=task.second)
        return [
            Part(grader="code_tests", record=one, response=first),
            Part(grader="code_tests", record=other, response=second),
        ]

    def combine(self, task, verdicts):
        score = sum(verdict.score for verdict in verdicts) / 2
        return Verdict(score=score, ruling=ruling_for(score), summary="halves")


GRADERS = {
    "code_tests": Entry(Toy(), CodeTestsTask, ()),
    "halves": Entry(Halves(), HalvesTask, ()),
}


def said(job, *, ending=Ending.EXITED, pressed=False):
    """The execution of a job that repeats the response."""
    return Execution(ending=ending, report={"said": job.payload["response"]}, pressed=pressed)


class Gate:
    """A handler that holds every job until it is opened, and counts."""

    def __init__(self):
        self.opened = asyncio.Event()
        self.begun = asyncio.Event()
        self.cancelled = 0

    async def __call__(self, job):
        self.begun.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return said(job)
