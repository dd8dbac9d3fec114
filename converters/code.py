"""What formats of programs share: inputs and outputs, given as text or as calls, as tests."""

import json
from collections.abc import Sequence
from typing import Any

from converters.records import Options, RowError

MAX_TESTS = 1_000
"""What one task of `code_tests` takes."""
_TOLERANCE = 1e-6
"""How far numbers that a program prints may differ, as the checkers of such contests have it."""
_IMPORTS = """\
import bisect, collections, functools, heapq, itertools, math, operator, random, re, string
from bisect import *
from collections import *
from functools import *
from heapq import *
from itertools import *
from math import ceil, comb, factorial, floor, gcd, inf, isqrt, log, log2, sqrt
from typing import *
"""
"""What the platforms of such problems import, and their solutions take for granted."""
_STDIO = "Read from standard input and write to standard output. Answer with the whole Python program in a code block."
_CALLED = "Answer with the whole Python code in a code block."


def code_task(tests: dict[str, Any], options: Options) -> dict[str, Any]:
    """Return a task of `code_tests`. Raises `RowError` without tests, or with too many."""
    count = sum(len(tests.get(kind, ())) for kind in ("callTests", "stdioTests", "assertTests"))
    if not 0 < count <= MAX_TESTS:
        raise RowError(f"has {count} tests; at least 1 and at most {MAX_TESTS} can be used")
    if options.all_or_nothing:
        tests = {**tests, "scoring": "TEST_SCORING_ALL_OR_NOTHING"}
    return {"codeTests": {key: value for key, value in tests.items() if value}}


def asked(question: str, starter: str, *, called: bool) -> str:
    """Return a prompt: the question, the code to start from if there is any, and what to answer with."""
    begin = f"\n\nUse this code to start from:\n\n```python\n{starter.strip()}\n```" if starter.strip() else ""
    return f"{question}{begin}\n\n{_CALLED if called else _STDIO}"


def stdio_test(stdin: Any, stdout: Any, *, hidden: bool = False) -> dict[str, Any]:
    """Return a run of the whole program; lists are lines."""
    test: dict[str, Any] = {
        "stdin": _lines(stdin, "input"),
        "expectedStdout": _lines(stdout, "output"),
        "comparison": "STDOUT_COMPARISON_TOKENS",
        "tolerance": _TOLERANCE,
    }
    return {**test, "hidden": True} if hidden else test


def _lines(value: Any, name: str) -> str:
    if isinstance(value, list):
        return "\n".join(_lines(item, name) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise RowError(f"a test's {name} is no text")
    return value


def call_test(
    function: str, arguments: Sequence[Any], expected: Any, *, method: bool, hidden: bool = False
) -> dict[str, Any]:
    """Return one call as a call test, or, for a ``method`` of the class `Solution`, as a program that asserts it."""
    written = [literal(argument) for argument in arguments]
    test: dict[str, Any]
    if method:
        name = _identifier(function)
        test = {"code": f"assert Solution().{name}({', '.join(written)}) == {literal(expected)}"}
    else:
        test = {"args": written, "expected": literal(expected), "sequencesMatch": True}
        if _has_floats(expected):
            test["tolerance"] = _TOLERANCE
    return {**test, "hidden": True} if hidden else test


def call_tests(function: str, tests: Sequence[dict[str, Any]], *, method: bool) -> dict[str, Any]:
    """Return ``tests``, which `call_test` made, as fields of the task."""
    if method:
        return {"prefix": _IMPORTS, "assertTests": list(tests)}
    return {"prefix": _IMPORTS, "entryPoint": _identifier(function), "callTests": list(tests)}


def _identifier(name: str) -> str:
    if not name.isidentifier():
        raise RowError(f"the function {name[:80]!r} is no name")
    return name


def literal(value: Any) -> str:
    """Return a value that was JSON as a Python literal. Raises `RowError`."""
    try:
        json.dumps(value, allow_nan=False)
        return repr(value)
    except (TypeError, ValueError) as error:
        raise RowError(f"a test holds a value that cannot be written down: {error}") from None


def _has_floats(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_floats(item) for item in value)
    if isinstance(value, dict):
        return any(_has_floats(item) for item in value.values())
    return isinstance(value, float)
