"""The rules that make a verdict of what a response's code did."""

import pytest

from reward_server.errors import InvalidTaskError
from reward_server.graders.code_tests import GRADER, MAX_CODE_BYTES
from reward_server.tasks import code_tests as records
from reward_server.tasks.code_tests import AssertTest, CallTest, CodeTestsTask, StdioTest
from reward_server.verdict import Ruling, Verdict
from sandboxes.base import Ending, Execution, Limits

LIMITS = Limits()
CALLS = CodeTestsTask(
    entry_point="f", call_tests=(CallTest(args=("1",), expected="2"), CallTest(args=("2",), expected="3", hidden=True))
)


def judge(task, report, **more):
    job = GRADER.plan(task, "def f(x): pass", LIMITS)
    return GRADER.judge(task, job, Execution(ending=Ending.EXITED, report=report, **more), None)


def test_values_are_compared_here():
    """The share of calls with the right value is the score."""
    verdict = judge(CALLS, {"calls": [{"value": "2"}, {"value": "3"}]})
    assert (verdict.score, verdict.ruling) == (1.0, Ruling.ACCEPTED)
    assert judge(CALLS, {"calls": [{"value": "2"}, {"value": "4"}]}).score == 0.5


def test_all_or_nothing():
    """One failure takes all where the task says so."""
    task = CodeTestsTask(entry_point="f", call_tests=CALLS.call_tests, scoring=records.TestScoring.ALL_OR_NOTHING)
    assert judge(task, {"calls": [{"value": "2"}, {"value": "4"}]}).score == 0.0


def test_hard_coded_visible_cases_are_flagged():
    """All visible tests pass, all hidden ones fail."""
    verdict = judge(CALLS, {"calls": [{"value": "2"}, {"value": "2"}]})
    assert [flag.name for flag in verdict.flags] == ["hardcoded_visible_tests"]


@pytest.mark.parametrize(
    "text", ["", "nonsense", "{}", '{"s": [[]]}', "[" * 100_000, "1e999", '{"i": "zz"}', "NaN", '"\\ud800"', "[1, 2"]
)
def test_whatever_the_process_answers_is_a_verdict(text):
    """No text on the candidate's channel raises on the host, or passes."""
    verdict = judge(CALLS, {"calls": [{"value": text}, {"value": text}]})
    assert (verdict.score, verdict.ruling) == (0.0, Ruling.WRONG_ANSWER)


@pytest.mark.parametrize(
    ("facts", "ruling"),
    [
        ({"ended": "cpu_limit", "detail": "slow"}, Ruling.TIME_LIMIT),
        ({"ended": "wall_limit", "detail": "slow"}, Ruling.TIME_LIMIT),
        ({"ended": "memory_limit", "detail": "big"}, Ruling.MEMORY_LIMIT),
        ({"ended": "output_limit", "detail": "loud"}, Ruling.OUTPUT_LIMIT),
        ({"ended": "exited", "detail": "left"}, Ruling.RUNTIME_ERROR),
        ({"raised": {"mro": ["MemoryError"], "message": ""}}, Ruling.MEMORY_LIMIT),
        ({"raised": {"mro": ["ZeroDivisionError"], "message": "", "line": 3}}, Ruling.RUNTIME_ERROR),
    ],
)
def test_a_zero_says_why(facts, ruling):
    """The ruling of a response that passes nothing is what happened most."""
    assert judge(CALLS, {"calls": [facts, facts]}).ruling is ruling


def test_an_expected_exception_is_compared_by_name():
    """A subclass passes; the same exception while the code is loaded does not."""
    task = CodeTestsTask(entry_point="f", call_tests=(CallTest(raises="ValueError"),))
    raised = {"mro": ["Own", "ValueError", "Exception"], "message": ""}
    assert judge(task, {"calls": [{"raised": raised}]}).score == 1.0
    assert judge(task, {"calls": [{"raised": raised, "loading": True}]}).score == 0.0


def test_a_job_cut_short_is_no_success():
    """Tests without facts have failed."""
    assert judge(CALLS, {}).score == 0.0


def test_the_expected_values_do_not_enter_a_box():
    """A call test's expectation is nowhere in the payload."""
    task = CodeTestsTask(entry_point="f", call_tests=(CallTest(args=("1",), expected="'secret'"),))
    assert "secret" not in repr(GRADER.plan(task, "def f(x): pass", LIMITS).payload)


@pytest.mark.parametrize(
    ("prefix", "code", "source"),
    [
        ("", "def f(): pass", "def f(): pass"),
        ("def f():\n", "    return 1", "def f():\n    return 1"),
        ("import os\n\ndef f():\n    '''doc'''\n", "def f():\n    return 1", "import os\n\ndef f():\n    return 1"),
        ("def fact(): return 2\ndef f():\n", "def f():\n    return 1", "def fact(): return 2\ndef f():\n    return 1"),
        ("import os\n", "from __future__ import annotations\nx = 1\ndef f(): pass", None),
    ],
)
def test_the_prefix_and_the_code_are_one_program(prefix, code, source):
    """A completion continues the prefix; a whole function replaces the prefix's own from its definition on."""
    task = CodeTestsTask(prefix=prefix, entry_point="f", call_tests=(CallTest(expected="1"),))
    planned = GRADER.plan(task, f"```python\n{code}\n```", LIMITS).payload["source"]
    compile(planned, "planned", "exec")
    assert source is None or planned == source


def test_code_without_end_is_not_run():
    """More than a megabyte of code is past the limit."""
    verdict = GRADER.plan(CALLS, "x = 1\n" * MAX_CODE_BYTES, LIMITS)
    assert isinstance(verdict, Verdict)
    assert verdict.ruling is Ruling.OUTPUT_LIMIT


def test_a_failing_exit_is_no_success_whatever_was_printed():
    """Output counts only of a run that exited with status 0."""
    task = CodeTestsTask(stdio_tests=(StdioTest(expected_stdout="1"),))
    run = {"ended": "exited", "stdout": "1\n", "stderr": ""}
    assert judge(task, {"runs": [{**run, "exit_status": 0}]}).score == 1.0
    assert judge(task, {"runs": [{**run, "exit_status": 1}]}).ruling is Ruling.RUNTIME_ERROR


def test_a_broken_checker_is_the_tasks_fault_unless_the_run_failed():
    """What the checker says of a crashed run is not asked."""
    task = CodeTestsTask(
        stdio_tests=(StdioTest(expected_stdout="1"),), checker="def check(i, o, e):\n    return 1 / 0\n"
    )
    run = {"ended": "exited", "exit_status": 0, "stdout": "1", "stderr": ""}
    with pytest.raises(InvalidTaskError, match="checker"):
        judge(task, {"runs": [run], "checked": [{"error": "ZeroDivisionError"}]})
    crashed = judge(task, {"runs": [{**run, "exit_status": 1}], "checked": [{"error": "ZeroDivisionError"}]})
    assert crashed.ruling is Ruling.RUNTIME_ERROR


def test_each_assert_is_a_check():
    """The weight of a program is divided among its asserts; those not reached have failed."""
    task = CodeTestsTask(assert_tests=(AssertTest(code="assert f(1)", weight=3.0),))
    asserts = [
        {"passed": True, "detail": "", "source": "f(1)"},
        {"passed": False, "detail": "", "source": "f(2)"},
        {"passed": None, "detail": "", "source": "f(3)"},
    ]
    verdict = judge(task, {"programs": [{"error": "ValueError: no", "asserts": asserts}]})
    assert [(check.score, check.weight) for check in verdict.checks] == [(1.0, 1.0), (0.0, 1.0), (0.0, 1.0)]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, ""),
        ({"call_tests": (CallTest(expected="1"),)}, "call_tests[0].function"),
        ({"entry_point": "f", "call_tests": (CallTest(),)}, "call_tests[0]"),
        ({"entry_point": "f", "call_tests": (CallTest(args=("f()",), expected="1"),)}, "call_tests[0].args[0]"),
        ({"entry_point": "f", "call_tests": (CallTest(expected="1", weight=-1.0),)}, "call_tests[0].weight"),
        ({"assert_tests": (AssertTest(code="assert ("),)}, "assert_tests[0].code"),
        ({"checker": "def check(i, o, e): return True", "assert_tests": (AssertTest(code="x=1"),)}, "checker"),
    ],
)
def test_a_task_that_cannot_be_graded_says_where(fields, path):
    """The path of the field is in the error."""
    with pytest.raises(InvalidTaskError) as caught:
        CodeTestsTask(**fields)
    assert caught.value.field == path
