"""What trainers hand over, read without a server."""

import json
from types import SimpleNamespace

import pytest
from reward.v1 import sample_pb2

from trainer_client import Check, Failure, FailureReason, Flag, Ruling, Verdict
from trainer_client.adapters.rows import numbers, shares, task_of, text_of, without_end_marks

TASK = {"taskId": "four", "mathAnswer": {"expected": "4"}}
MESSAGE = sample_pb2.Task(math_answer={"expected": "4"})


@pytest.mark.parametrize(
    "row",
    [
        {"task": TASK},
        {"task": json.dumps(TASK)},
        {"task": {"task": TASK, "prompt": [{"role": "user", "content": "2+2"}]}},
        {"task": {"mathAnswer": {"expected": "4", "accepted": None}, "sqlQuery": None, "limits": None}},
        {"task": MESSAGE},
        {"ground_truth": json.dumps(TASK)},
        {"ground_truth": TASK, "data_source": "my/own"},
        {"ground_truth": "4", "data_source": "openai/gsm8k"},
        {"data_source": "openai/gsm8k", "reward_model": {"ground_truth": "4"}},
        {"task": None, "ground_truth": 4, "data_source": "aime"},
    ],
)
def test_tasks(row):
    """A task is found where trainers keep one, as a message, a dictionary or text, and loses its name."""
    assert task_of(row) == MESSAGE


def test_formats_and_data_sources_can_be_told():
    """Rows of a data set's own form need its name; a bare ground truth needs to be told what it is."""
    assert task_of({"question": "2+2", "answer": "#### 4"}, "gsm8k") == MESSAGE
    assert task_of({"ground_truth": "4"}, "", "openai/gsm8k") == MESSAGE


def nested(depth):
    task = TASK
    for _ in range(depth):
        task = {"limits": task}
    return task


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({}, "no 'task'"),
        ({"task": "{"}, "is no JSON"),
        ({"task": "[" * 100_000}, "is no JSON"),
        ({"task": nested(5_000)}, "nested too deeply"),
        ({"task": {"mathAnswer": {"expcted": "4"}}}, "expcted"),
        ({"task": {"taskId": "x"}}, "no grader is set"),
        ({"task": 7}, "task"),
        ({"ground_truth": "4"}, "no grader is known"),
        ({"ground_truth": "4", "data_source": "my/own"}, "no grader is known for the data source 'my/own'"),
    ],
)
def test_rows_without_a_task(row, says):
    """A row that has no usable task gets a Failure that says why, and nothing is guessed."""
    failure = task_of(row)
    assert isinstance(failure, Failure)
    assert failure.reason is FailureReason.INVALID_TASK
    assert says in failure.message


@pytest.mark.parametrize(
    ("completion", "text"),
    [
        ("plain", "plain"),
        (None, ""),
        ([], ""),
        ([{"role": "assistant", "content": "said"}], "said"),
        ([{"role": "assistant", "content": "1"}, {"role": "tool", "content": "2"}], "1"),
        ([{"role": "assistant", "content": "1"}, {"role": "assistant", "content": None}], ""),
        ([{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}]}], "ab"),
        ({"role": "assistant", "content": "said"}, "said"),
        ([SimpleNamespace(role="user", content="?"), SimpleNamespace(role="assistant", content="said")], "said"),
        ([{"role": "user", "content": "only"}], "only"),
    ],
)
def test_texts(completion, text):
    """The text of a completion is its own, or that of the last message the assistant said."""
    assert text_of(completion) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("67<|im_end|>", "67"),
        ("67<|im_end|>\n<|endoftext|>", "67"),
        ("67</s>", "67"),
        ("<|im_end|>67", "<|im_end|>67"),
        ("a <|b", "a <|b"),
        ("<pad>" * 70, "<pad>" * 6),
        ("", ""),
    ],
)
def test_end_marks(text, left):
    """Special tokens at the end are no part of the answer; elsewhere they stay, and so does a flood of them."""
    assert without_end_marks(text) == left


def verdict(score, **checks):
    named = tuple(Check(name=name, score=value, weight=1.0, detail="") for name, value in checks.items())
    ruling = Ruling.ACCEPTED if score == 1.0 else Ruling.PARTIAL
    return Verdict(score=score, ruling=ruling, checks=named, flags=(Flag(name="odd", detail=""),))


def test_shares_of_a_batch():
    """Rulings, failures and the checks that all verdicts have are logged; what only some have is not."""
    failure = Failure(reason=FailureReason.SANDBOX_UNAVAILABLE)
    logged = shares([verdict(1.0, a=1.0, b=1.0), verdict(0.5, a=0.5), failure, failure])
    assert {name: share for name, share in logged.items() if share} == {
        "gradable": 0.5,
        "accepted": 0.25,
        "partial": 0.25,
        "failure_sandbox_unavailable": 0.5,
        "check/a": 0.75,
    }
    assert shares([]) == {}
    assert {name for name, share in shares([failure]).items() if share} == {"failure_sandbox_unavailable"}
    assert shares([failure]).keys() == shares([verdict(1.0)]).keys()
    many = {f"check{i}": 1.0 for i in range(17)}
    assert not any(name.startswith("check/") for name in shares([verdict(1.0, **many)]))


def test_numbers_have_the_same_keys_for_every_result():
    """A Failure logs the same columns as a Verdict, and no score."""
    assert numbers(verdict(1.0)) == {"gradable": 1.0, "accepted": 1.0, "flags": 1.0}
    assert numbers(Failure(reason=FailureReason.DEADLINE)) == {"gradable": 0.0, "accepted": 0.0, "flags": 0.0}
