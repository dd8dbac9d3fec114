"""The same sample gets the same verdict: alone, in another order, and at full load."""

import random

import faults
import pytest
from google.protobuf import json_format
from reward.v1 import sample_pb2
from vectors_runner import VECTORS, load

from reward_server.config import Config
from reward_server.grading import grade_all
from sandboxes.docker_sandbox import DockerSandbox
from sandboxes.local_sandbox import LocalSandbox


def work():
    """Return every sixth vector whose verdict does not depend on time, as tasks and samples."""
    found = []
    for name in ("code_tests", "sql_query", "math_answer", "json_extraction"):
        for vector in load(VECTORS / f"{name}.jsonl")[::6]:
            if "limits" in vector["record"]["task"] or any(word in str(vector["expect"]) for word in faults.UNSTEADY):
                continue
            record = json_format.ParseDict(vector["record"], sample_pb2.TaskRecord())
            record.task.task_id = vector["where"]
            record.samples[0].sample_id = record.samples[0].task_id = vector["where"]
            found.append((record.task, record.samples[0]))
    return found


async def table(sandbox, items):
    """Return what each sample was graded, without where and how long."""
    found = {}

    def note(graded):
        graded.result.ClearField("provenance")
        found[graded.sample.sample_id] = graded.result.SerializeToString(deterministic=True)

    await grade_all(sandbox, Config(verdict_memory_bytes=0), items, note)
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [LocalSandbox, pytest.param(DockerSandbox, marks=pytest.mark.docker)])
async def test_verdicts_do_not_depend_on_order_or_load(kind):
    """One at a time in one box, and shuffled over three boxes on two cores: every byte of every verdict is the same."""
    items = work()
    async with kind(boxes=1) as alone:
        quiet = await table(alone, items)
    random.Random(3).shuffle(items)
    async with kind(boxes=3) as crowded:
        loaded = await table(crowded, items)
    assert len(quiet) == len(items) > 100
    assert [name for name, result in quiet.items() if loaded[name] != result] == []
