"""What is said of an answer never depends on what was compared before it in the same process."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from reward.v1 import sample_pb2

from reward_server import wire
from reward_server.graders.math_answer import GRADER
from reward_server.tasks.math_answer import MathAnswerTask
from reward_server.verdict import Verdict
from sandboxes.base import Limits

PROGRAM = Path(__file__).parent / "order_of_answers.py"
VECTORS = Path(__file__).parents[2] / "vectors"
EVERY = 6
"""One vector in so many is taken."""
TIME = "took too long"
NEVER_ENDING = r"\int_0^{100}\sin(x^3)e^x\,dx"
"""An answer that is given up when its time is over, in the middle of SymPy's work."""


def payloads() -> list[dict[str, Any]]:
    """Return what guests would be asked for some hundred vectors, among them some with steps and options."""
    found = []
    for name in ("math_answer", "math_answer_pairs"):
        for line in (VECTORS / f"{name}.jsonl").read_text("utf-8").splitlines()[::EVERY]:
            record = json_format.ParseDict(json.loads(line)["record"], sample_pb2.TaskRecord())
            task = wire.record(record.task.math_answer, MathAnswerTask)
            planned = GRADER.plan(task, record.samples[0].response, Limits())
            if not isinstance(planned, Verdict):
                found.append(dict(planned.payload))
    return found


def graded(asked: list[dict[str, Any]], orders: list[list[int]], *, cold: bool = False) -> list[list[Any]]:
    """Return the reports of separate processes, and those of each order in one process."""
    work = json.dumps({"payloads": asked, "orders": orders, "cold": cold})
    done = subprocess.run([sys.executable, PROGRAM], input=work, capture_output=True, text=True, check=True)
    reports: list[list[Any]] = json.loads(done.stdout)
    return reports


def differences(some: list[Any], others: list[Any]) -> list[tuple[Any, Any]]:
    """Return the reports that differ; those apart for which there was no time, since that depends on the machine."""
    pairs = zip(some, others, strict=True)
    return [pair for pair in pairs if pair[0] != pair[1] and not any(TIME in report["detail"] for report in pair)]


def test_no_order_of_answers_changes_a_report():
    """Some hundred answers get the same reports alone and one after another, in three orders."""
    asked = payloads()
    assert len(asked) > 200
    dice = random.Random(5)
    orders = [dice.sample(range(len(asked)), len(asked)) for _ in range(3)]
    alone, *together = graded(asked, orders)
    for reports in together:
        assert differences(alone, reports) == []


def test_the_warm_up_changes_no_report():
    """Answers get the same reports from a guest that was warmed up and from one that was not."""
    asked = payloads()[::4]
    assert differences(graded(asked, [])[0], graded(asked, [], cold=True)[0]) == []


def test_an_answer_that_was_given_up_leaves_nothing_behind():
    """After a comparison that ran out of time, others are what they are alone."""
    asked = payloads()[::8]
    slow = {**asked[0], "expected": [NEVER_ENDING], "answers": ["1"], "joined": "", "solution": None}
    alone, together = graded([slow, *asked], [list(range(len(asked) + 1))])
    assert alone[0]["outcome"] == "undecided"
    assert differences(alone, together) == []
