r"""MATH and its kin (MATH-500, AMC, AIME): `problem`, and a `solution` with ``\boxed{…}``, or an `answer`."""

from collections.abc import Mapping
from typing import Any

from converters.records import BOXED, Converted, Options, RowError, named, text, user

_BOXES = ("\\boxed", "\\fbox")


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `math_answer`: the field `answer`, else the last box of the solution."""
    del options
    problem, solution = text(row, "problem", "question"), text(row, "solution", default="")
    expected = text(row, "answer", default="") or last_box(solution)
    if not expected:
        raise RowError("has neither an 'answer' nor a box in its 'solution'")
    return Converted(
        task=named({"mathAnswer": {"expected": expected}}, text(row, "unique_id", "id", default="")),
        prompt=user(f"{problem}\n\n{BOXED}"),
        solutions=(solution or f"\\boxed{{{expected}}}",),
    )


def last_box(solution: str) -> str:
    r"""Return what the last ``\boxed{…}`` (or ``\boxed 7``) holds; empty without one."""
    start = max(solution.rfind(mark) for mark in _BOXES)
    if start < 0:
        return ""
    rest = solution[start:].removeprefix("\\boxed").removeprefix("\\fbox").lstrip()
    if not rest.startswith("{"):
        return rest.split("$")[0].split()[0].rstrip(".,") if rest.split("$")[0].split() else ""
    depth = 0
    for position, character in enumerate(rest):
        if character in "{}" and (position == 0 or rest[position - 1] != "\\"):
            depth += 1 if character == "{" else -1
        if depth == 0:
            return rest[1:position].strip()
    return ""
