"""Attacks on every grader: none may earn more than honest work, and honest work passes.

The files hold one attack a line: what it is (`attack`), the task and response (`record`), the most it may earn
(`expect`), and the weak judge that it is proven to fool (`fools`) on `weak_task`. Lines of code_tests.jsonl name no
weak judge: they are against the examiner itself, and hold their own controls.
"""

import asyncio
from pathlib import Path

import pytest
from vectors_runner import load, mismatches
from weak_judges import JUDGES

from sandboxes.docker_sandbox import DockerSandbox
from sandboxes.local_sandbox import LocalSandbox

HERE = Path(__file__).parent
FILES = sorted(path for path in HERE.glob("*.jsonl") if path.stem != "controls")
SANDBOXES = [
    pytest.param(LocalSandbox, id="local"),
    pytest.param(DockerSandbox, id="docker", marks=pytest.mark.docker),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("sandbox_kind", SANDBOXES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_no_attack_earns_more_than_honest_work(path, sandbox_kind):
    """Every attack ends in a verdict, and the verdict is no better than its line allows."""
    async with sandbox_kind(boxes=2) as sandbox:
        assert await mismatches(sandbox, load(path)) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_every_attack_fools_the_weak_judge_that_it_names(path):
    """An attack that fools nobody would prove nothing."""
    attacks = {_weak_case(line): line for line in load(path) if "fools" in line}
    async with LocalSandbox(boxes=2) as sandbox:
        fooled = await asyncio.gather(
            *(
                JUDGES[line["fools"]](sandbox, line["weak_task"], line["record"]["samples"][0]["response"])
                for line in attacks.values()
            )
        )
    known = dict(zip(attacks, fooled, strict=True))
    toothless = [line for line in load(path) if "fools" in line and not known[_weak_case(line)]]
    assert [f"{line['where']}: {line['attack']}" for line in toothless] == []


def _weak_case(line):
    """What a weak judge sees of an attack: several lines may differ only in what they ask of the real one."""
    return line["fools"], line["record"]["samples"][0]["response"] + str(line["weak_task"])


@pytest.mark.parametrize("sandbox_kind", SANDBOXES)
async def test_honest_work_is_graded_as_it_deserves(sandbox_kind):
    """A grader that refuses everything has failed: right answers to the attacked tasks are accepted, wrong ones not."""
    async with sandbox_kind(boxes=2) as sandbox:
        assert await mismatches(sandbox, load(HERE / "controls.jsonl")) == []


def test_there_are_at_least_two_hundred_attacks():
    """The suite only grows; only attacks with proven teeth are counted."""
    assert sum("fools" in line for path in FILES for line in load(path)) >= 200
