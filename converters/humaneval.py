"""HumanEval and HumanEval+: `prompt` (the beginning of a function), `test` (`check(candidate)`), `entry_point`."""

from collections.abc import Mapping
from typing import Any

from converters import evalplus
from converters.code import code_task
from converters.records import Converted, Options, RowError, fenced, named, text, user

_ASKED = "Complete this Python function. Answer with the whole function in a code block."


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `code_tests`: the loop of HumanEval+ as calls, any other program as asserts."""
    beginning, entry_point = text(row, "prompt"), text(row, "entry_point")
    if not isinstance(row.get("test"), str):
        raise RowError("has no 'test'; rows with inputs alone (base_input, plus_input) do not say what is expected")
    program = text(row, "test")
    _, calls = evalplus.calls(program, entry_point)
    tests: dict[str, Any] = {"callTests": calls} if calls else {"assertTests": [{"code": program, "hidden": True}]}
    solution = text(row, "canonical_solution", default="")
    task = code_task({"prefix": beginning, "entryPoint": entry_point, **tests}, options)
    return Converted(
        task=named(task, text(row, "task_id", default="")),
        prompt=user(f"{_ASKED}\n\n{fenced(beginning)}"),
        solutions=(fenced(beginning + solution),) if solution else (),
    )
