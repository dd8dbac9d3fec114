"""CodeContests: `description`, `public_tests`, `private_tests`, `generated_tests`, `solutions`, `input_file`."""

from collections.abc import Mapping
from typing import Any

from converters.code import MAX_TESTS, asked, code_task, stdio_test
from converters.records import Converted, Options, RowError, fenced, mapping, named, plain, text, user

_PYTHON3 = (3, "PYTHON3")


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `code_tests`: public tests visible, private and generated ones hidden.

    Of more tests than a task takes, generated ones are left out, from the end. Numbers may differ by 1e-6. The row's
    time limit is meant for compiled programs and is left out.
    """
    if text(row, "input_file", default="") or text(row, "output_file", default=""):
        raise RowError("reads or writes files instead of standard input and output")
    tests = _tests(row.get("public_tests"), "public_tests", hidden=False)
    tests += _tests(row.get("private_tests"), "private_tests", hidden=True)
    tests += _tests(row.get("generated_tests"), "generated_tests", hidden=True)[: max(0, MAX_TESTS - len(tests))]
    return Converted(
        task=named(code_task({"stdioTests": tests}, options), text(row, "name", default="")),
        prompt=user(asked(text(row, "description"), "", called=False)),
        solutions=tuple(_solutions(row.get("solutions"))[:1]),
    )


def _tests(value: Any, name: str, *, hidden: bool) -> list[dict[str, Any]]:
    if value is None:
        return []
    spec = mapping(value, name)
    inputs, outputs = spec.get("input") or [], spec.get("output") or []
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs):
        raise RowError(f"{name!r} has not as many inputs as outputs")
    return [stdio_test(stdin, stdout, hidden=hidden) for stdin, stdout in zip(inputs, outputs, strict=True)]


def _solutions(value: Any) -> list[str]:
    spec = plain(value)
    if not isinstance(spec, dict):
        return []
    pairs = zip(spec.get("language") or [], spec.get("solution") or [], strict=False)
    return [fenced(code) for language, code in pairs if language in _PYTHON3 and isinstance(code, str)]
