"""APPS: `question`, `input_output` (JSON: inputs, outputs, and fn_name for calls), `solutions` (JSON), `starter_code`.

`inputs_and_outputs` also reads the ground truth of verl's code rows, which has that form.
"""

from collections.abc import Mapping
from typing import Any

from converters.code import asked, call_test, call_tests, code_task, stdio_test
from converters.records import Converted, Options, RowError, fenced, mapping, named, parsed, text, user


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `code_tests`. Numbers that a program prints may differ by 1e-6."""
    question, starter = text(row, "question"), text(row, "starter_code", default="")
    tests, called = inputs_and_outputs(row.get("input_output"), "input_output", starter)
    written = parsed(row.get("solutions") or "[]", "solutions")
    solutions = [code for code in written if isinstance(code, str)] if isinstance(written, list) else []
    return Converted(
        task=named(code_task(tests, options), text(row, "problem_id", "id", default="")),
        prompt=user(asked(question, starter, called=called)),
        solutions=tuple(fenced(code) for code in solutions[:1]),
    )


def inputs_and_outputs(value: Any, name: str, starter: str = "") -> tuple[dict[str, Any], bool]:
    """Return tests as fields of a task, and whether they are calls. Raises `RowError`.

    Outputs of calls may each stand in a list of its own, as APPS writes them.
    """
    if not value:
        raise RowError(f"has no tests in {name!r}")
    spec = mapping(value, name)
    inputs, outputs = spec.get("inputs"), spec.get("outputs")
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs):
        raise RowError(f"{name!r} has not as many 'inputs' as 'outputs'")
    function = spec.get("fn_name")
    if not function:
        pairs = zip(inputs, outputs, strict=True)
        return {"stdioTests": [stdio_test(stdin, stdout) for stdin, stdout in pairs]}, False
    if not isinstance(function, str) or not all(isinstance(arguments, list) for arguments in inputs):
        raise RowError(f"{name!r}: 'inputs' of {str(function)[:80]!r} are no lists of arguments")
    method = "class Solution" in starter
    wrapped = all(isinstance(output, list) and len(output) == 1 for output in outputs)
    expected = [output[0] for output in outputs] if wrapped else outputs
    tests = [call_test(function, given, wanted, method=method) for given, wanted in zip(inputs, expected, strict=True)]
    return call_tests(function, tests, method=method), True
