"""MBPP, its sanitized form, and MBPP+: `text` or `prompt`, `code`, and `test_list` or EvalPlus's `test`."""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from converters import evalplus
from converters.code import code_task
from converters.records import Converted, Options, RowError, fenced, named, text, texts, user


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `code_tests`. The prompt shows `test_list`; all further tests are hidden."""
    asked, code = text(row, "text", "prompt"), text(row, "code", default="")
    shown = texts(row.get("test_list") or [], "test_list")
    entry_point, tests = _tests(row, shown, code)
    body = f"{asked}\n\nYour function must pass these tests:\n\n" + "\n".join(shown) if shown else asked
    return Converted(
        task=named(code_task({"entryPoint": entry_point, **tests}, options), text(row, "task_id", default="")),
        prompt=user(f"Write a Python function. {body}"),
        solutions=(fenced(code),) if code else (),
    )


def _tests(row: Mapping[str, Any], shown: Sequence[str], code: str) -> tuple[str, dict[str, Any]]:
    if isinstance(row.get("test"), str) and row["test"].strip():
        function, calls = evalplus.calls(row["test"])
        if calls:
            return function, {"callTests": calls}
        return _function([row["test"], *shown], code), {"assertTests": [{"code": row["test"], "hidden": True}]}
    challenge = texts(row.get("challenge_test_list") or [], "challenge_test_list")
    if not (shown or challenge):
        raise RowError("has no tests in 'test_list'")
    ahead = "\n".join([*texts(row.get("test_imports") or [], "test_imports"), text(row, "test_setup_code", default="")])
    tests: list[dict[str, Any]] = [{"code": f"{ahead}\n{test}".strip()} for test in shown]
    tests += [{"code": f"{ahead}\n{test}".strip(), "hidden": True} for test in challenge]
    return _function([*shown, *challenge], code), {"assertTests": tests}


def _function(tests: Sequence[str], code: str) -> str:
    """Return the function of ``code`` that ``tests`` call; empty when they are not read."""
    try:
        called = {
            node.func.id
            for test in tests
            for node in ast.walk(ast.parse(test))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        defined = [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return next((name for name in reversed(defined) if name in called), "")
