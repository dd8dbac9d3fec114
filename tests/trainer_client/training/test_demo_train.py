"""The demonstration's tasks are sound: what is right is accepted, most demonstrations are not, and nothing leaks."""

import importlib.util
import json
from pathlib import Path

import pytest

from reward_server.child import child_server
from trainer_client import RewardClient, Ruling, Sample, Verdict
from trainer_client.task_records import TaskRecord, read_task_records

PATH = Path(__file__).parents[3] / "examples" / "demo_train_tasks.py"
KINDS = ("arithmetic", "sql", "extraction")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("demo_train_tasks", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("tasks")
    module.write_tasks(folder, train=40, held_out=20)
    return folder


def records(folder, name):
    found = list(read_task_records(folder / f"{name}.jsonl"))
    assert all(isinstance(each, TaskRecord) for each in found)
    return found


def right_answer(folder, kind, line):
    task = json.loads((folder / f"{kind}.jsonl").read_text("utf-8").splitlines()[line - 1])["task"]
    match kind:
        case "arithmetic":
            return f"\\boxed{{{task['mathAnswer']['expected']}}}"
        case "sql":
            return task["sqlQuery"]["referenceQuery"]
        case "extraction":
            return task["jsonExtraction"]["expected"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_held_out_question_is_trained_on(folder, kind):
    """The questions of training and of the held-out set have nothing in common, and those held out differ."""
    trained, held_out = (
        [each.prompt[0]["content"] for each in records(folder, kind + end)] for end in ("", "_held_out")
    )
    assert (len(trained), len(held_out), len(set(held_out))) == (40, 20, 20)
    assert not set(trained) & set(held_out)


def test_right_is_right_and_slips_are_not(folder):
    """A real server accepts the right answer to every task, and between a quarter and two thirds of demonstrations."""
    with child_server("--sandbox", "local") as address, RewardClient(address) as client:
        for kind in KINDS:
            asked = records(folder, kind)
            right = client.score([Sample(each.task, right_answer(folder, kind, each.line)) for each in asked])
            assert all(isinstance(each, Verdict) and each.ruling is Ruling.ACCEPTED for each in right), right
            shown = client.score([Sample(each.task, each.responses[0]) for each in asked])
            assert 0.25 <= sum(each.ruling is Ruling.ACCEPTED for each in shown) / len(shown) <= 0.67
