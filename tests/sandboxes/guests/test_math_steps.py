"""Properties of the steps of a solution: padding never pays, a fault costs, right derivations are right."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_server.graders.math_answer import GRADER
from reward_server.tasks.math_answer import MathAnswerTask
from reward_server.verdict import Verdict
from sandboxes.base import Ending, Execution, Job, Limits
from sandboxes.guests.math_answer import run

SOLUTIONS: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({"expected": "2"}, []),
    ({"expected": "2"}, ["2x+1=5", "2x=4", "x=2"]),
    ({"expected": "2"}, ["2x+1=5", "2x=7"]),
    ({"expected": "2"}, ["2x+1=7", "2x=6"]),
    ({"expected": "72"}, ["48/2=24", "48+24=72"]),
    ({"expected": "72"}, ["48/2=24", "48+24=73", "73-1=71"]),
    ({"expected": "0,2"}, ["x^2=2x", "x=2"]),
    ({"expected": "x=3,y=1", "givens": ("x+y=4", "x-y=2")}, ["2x=6", "x=3", "y=2"]),
    ({"expected": "x=3,y=1", "givens": ("x+y=4", "x-y=2")}, []),
)
PADDING = (
    "1=1", "x=x", "5=5.0", "5+0=5", "7 \\cdot 1=7", "(x+1)^2=x^2+2x+1", "\\sin^2 x+\\cos^2 x=1", "1001+1002=2003",
    "2x=x+x", "2x+2y=8", "q=11", "2q=22", "a+b=b+a", "x=2",
)  # fmt: skip


def score(fields: dict[str, Any], lines: list[str], answer: str = "2") -> float:
    """Return the score of a solution with one equation a line."""
    body = "".join(f"${line}$\n" for line in lines)
    task = MathAnswerTask(**{"steps": True, **fields})
    planned = GRADER.plan(task, f"{body}\\boxed{{{answer}}}", Limits())
    if isinstance(planned, Verdict):
        return planned.score
    return GRADER.judge(task, planned, _executed(planned), None).score


def _executed(job: Job) -> Execution:
    return Execution(ending=Ending.EXITED, report=run(dict(job.payload)))


@given(st.sampled_from(SOLUTIONS), st.lists(st.tuples(st.sampled_from(PADDING), st.integers(0, 9)), max_size=6))
@settings(deadline=None)
def test_padding_never_raises_the_score(solution: tuple[dict[str, Any], list[str]], padding: list[tuple[str, int]]):
    """Identities, restated answers, rewritten givens and true equations that nothing needs are worth nothing."""
    fields, lines = solution
    padded = list(lines)
    for line, place in padding:
        padded.insert(min(place, len(padded)), line)
    assert score(fields, padded) <= score(fields, lines)


@given(st.sampled_from(SOLUTIONS), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=6))
@settings(deadline=None)
def test_repeating_never_raises_the_score(solution: tuple[dict[str, Any], list[str]], copies: list[tuple[int, int]]):
    """An equation counts once, wherever it is said again later."""
    fields, lines = solution
    repeated = list(lines)
    for which, further in copies if lines else ():
        place = which % len(lines)
        repeated.insert(min(repeated.index(lines[place]) + 1 + further, len(repeated)), lines[place])
    assert score(fields, repeated) == score(fields, lines)


@given(st.integers(2, 20), st.integers(-20, 20), st.integers(-20, 20).filter(bool))
@settings(deadline=None)
def test_a_linear_equation_solved_is_right_and_missolved_is_not(a: int, b: int, root: int):
    """Ax + b = c, ax = c - b, x = (c - b)/a earns the whole share; one slip costs half of it."""
    fields: dict[str, Any] = {"expected": f"x={root}"}
    begin = f"{a}x+({b})={a * root + b}"
    assert score(fields, [begin, f"{a}x={a * root}", f"x={root}"], f"{root}") == 1.0
    assert score(fields, [begin, f"{a}x={a * root + 1}"], f"{root}") == 0.75


@given(st.integers(-9, 9), st.integers(-9, 9))
@settings(deadline=None)
def test_a_solution_dropped_costs_and_all_cases_together_do_not(p: int, q: int):
    """(x-p)(x-q) = 0 gives both; one of them alone is half of the story, unless they are the same."""
    fields: dict[str, Any] = {"expected": f"{p},{q}" if p != q else f"{p}"}
    answer = fields["expected"]
    begin = f"x^2-({p + q})x+({p * q})=0"
    assert score(fields, [begin, f"x={p}", f"x={q}"], answer) == 1.0
    assert score(fields, [begin, f"x={p}"], answer) == (0.75 if p != q else 1.0)


@pytest.mark.parametrize(
    "line", ["x=" + "9^{9^{9}}", "(" * 200 + "=1", "=".join("1" * 200), "x^{2000}=y^{2000}=z^{1999}"]
)
def test_hostile_steps_are_worth_nothing(line: str):
    """They neither raise nor earn."""
    assert score({"expected": "2"}, [line] * 3) == 0.5
