"""LiveCodeBench: `question_content`, `starter_code`, `public_test_cases`, `private_test_cases`, `metadata`.

Private tests are JSON, or base64 of zlib of a pickle of that JSON's text. A pickle is a program, so none is ever run
here: its instructions are read, and it is refused unless all they do is make one text.
"""

import base64
import binascii
import json
import pickletools
import zlib
from collections.abc import Mapping
from typing import Any

from converters.code import asked, call_test, call_tests, code_task, stdio_test
from converters.records import Converted, Options, RowError, mapping, named, parsed, text, user

MAX_TESTS_BYTES = 256 << 20
"""Of one row's private tests, unpacked."""
_TEXT = frozenset({"BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"})
_HARMLESS = frozenset({"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "STOP"})


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `code_tests`: public tests visible, private ones hidden."""
    question, starter = text(row, "question_content"), text(row, "starter_code", default="")
    cases = [(case, False) for case in _cases(parsed(row.get("public_test_cases") or "[]", "public_test_cases"))]
    cases += [(case, True) for case in _cases(private_tests(row.get("private_test_cases")))]
    function = mapping(row.get("metadata") or "{}", "metadata").get("func_name")
    called = any(case.get("testtype") == "functional" for case, _ in cases)
    if called:
        if not isinstance(function, str):
            raise RowError("has functional tests, and no 'func_name' in its 'metadata'")
        method = "class Solution" in starter
        tests = call_tests(function, [_call(function, *case, method=method) for case in cases], method=method)
    else:
        tests = {"stdioTests": [stdio_test(case["input"], case["output"], hidden=hidden) for case, hidden in cases]}
    return Converted(
        task=named(code_task(tests, options), text(row, "question_id", default="")),
        prompt=user(asked(question, starter, called=called)),
    )


def _cases(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(
        isinstance(case, dict) and isinstance(case.get("input"), str) and isinstance(case.get("output"), str)
        for case in value
    ):
        raise RowError("its tests are no list of inputs and outputs")
    return value


def _call(function: str, case: dict[str, Any], hidden: bool, *, method: bool) -> dict[str, Any]:  # noqa: FBT001 - a pair
    arguments = [parsed(line, "input") for line in case["input"].split("\n") if line.strip()]
    return call_test(function, arguments, parsed(case["output"], "output"), method=method, hidden=hidden)


def private_tests(value: Any) -> Any:
    """Return the private tests as JSON says them. Raises `RowError`."""
    if not value:
        return []
    if not isinstance(value, str):
        raise RowError("'private_test_cases' is no text")
    try:
        return json.loads(value)
    except ValueError:
        pass
    try:
        packed = base64.b64decode(value, validate=True)
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, MAX_TESTS_BYTES)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise RowError(f"'private_test_cases' is neither JSON nor packed as LiveCodeBench packs it: {error}") from None
    if not unpacker.eof:
        raise RowError(f"'private_test_cases' is cut off, or unpacks to more than {MAX_TESTS_BYTES} bytes")
    return parsed(pickled_text(content), "private_test_cases")


def pickled_text(content: bytes) -> str:
    """Return the one text that the pickle ``content`` makes, without running it. Raises `RowError` for any other."""
    found: list[str] = []
    try:
        for instruction, argument, _ in pickletools.genops(content):
            if instruction.name in _TEXT:
                found.append(str(argument))
            elif instruction.name not in _HARMLESS:
                raise RowError(f"'private_test_cases' is a pickle that does more than hold a text: {instruction.name}")
    except (ValueError, UnicodeError) as error:
        raise RowError(f"'private_test_cases' is no pickle: {str(error)[:200]}") from None
    if len(found) != 1:
        raise RowError("'private_test_cases' is a pickle that is no single text")
    return found[0]
