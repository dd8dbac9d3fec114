"""The graders, one module each, and the table of them."""

from dataclasses import dataclass
from typing import Any

from reward_server.graders import (
    code_tests,
    composite,
    json_extraction,
    math_answer,
    model_judge,
    python_grader,
    shaping,
    sql_query,
    text_match,
)
from reward_server.graders.base import CompositeGrader, Grader
from reward_server.tasks.code_tests import CodeTestsTask
from reward_server.tasks.composite import CompositeTask
from reward_server.tasks.json_extraction import JsonExtractionTask
from reward_server.tasks.math_answer import MathAnswerTask
from reward_server.tasks.model_judge import ModelJudgeTask
from reward_server.tasks.python_grader import PythonGraderTask
from reward_server.tasks.shaping import ShapingTask
from reward_server.tasks.sql_query import SqlQueryTask
from reward_server.tasks.text_match import TextMatchTask

__all__ = ["GRADERS", "CompositeGrader", "Entry", "Grader"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One grader and the record of its tasks."""

    grader: Grader[Any] | CompositeGrader[Any]
    task: type[Any]
    guests: tuple[str, ...]
    """The guests that its jobs use, in the order of their use: what to load ahead."""


GRADERS: dict[str, Entry] = {
    "code_tests": Entry(
        code_tests.GRADER, CodeTestsTask, ("code_tests.candidate", "code_tests.program", "code_tests.examiner")
    ),
    "composite": Entry(composite.GRADER, CompositeTask, ()),
    "json_extraction": Entry(json_extraction.GRADER, JsonExtractionTask, ("json_extraction",)),
    "math_answer": Entry(math_answer.GRADER, MathAnswerTask, ("math_answer",)),
    "model_judge": Entry(model_judge.GRADER, ModelJudgeTask, ()),
    "python_grader": Entry(python_grader.GRADER, PythonGraderTask, ("python_grader",)),
    "shaping": Entry(shaping.GRADER, ShapingTask, ()),
    "sql_query": Entry(sql_query.GRADER, SqlQueryTask, ("sql_query",)),
    "text_match": Entry(text_match.GRADER, TextMatchTask, ()),
}
"""By the name of the task's field in the proto."""
