"""The task of `python_grader`; see proto/reward/v1/python_grader.proto for what the fields mean."""

import ast
import json
from dataclasses import dataclass
from enum import StrEnum

from reward_server.errors import InvalidTaskError

MAX_CHARACTERS = 1 << 20


class OnError(StrEnum):
    """What it means that the grader fails on a response."""

    BY_PROBES = "by_probes"
    ZERO = "zero"
    INVALID_TASK = "invalid_task"


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonGraderTask:
    """A grader of the task author's own."""

    source: str = ""
    item: str = ""
    on_error: OnError = OnError.BY_PROBES
    working_response: str = ""

    def __post_init__(self) -> None:
        for path, text in (("source", self.source), ("item", self.item), ("working_response", self.working_response)):
            if len(text) > MAX_CHARACTERS:
                raise InvalidTaskError(path, f"{len(text)} characters, at most {MAX_CHARACTERS}")
        try:
            tree = ast.parse(self.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise InvalidTaskError("source", f"is no Python: {error}") from error
        if not any(_is_grade(node) for node in ast.walk(tree)):
            raise InvalidTaskError("source", "does not define grade(sample, item)")
        try:
            json.loads(self.item or "{}")
        except (ValueError, RecursionError) as error:
            raise InvalidTaskError("item", f"is no JSON: {error}") from error


def _is_grade(node: ast.AST) -> bool:
    match node:
        case ast.FunctionDef(name="grade") | ast.Name(id="grade", ctx=ast.Store()):
            return True
        case ast.alias(name=name, asname=renamed):
            return (renamed or name) == "grade"
    return False
