"""GSM8K: `question`, and an `answer` that works it out and ends with ``#### 72``."""

from collections.abc import Mapping
from typing import Any

from converters.records import BOXED, Converted, Options, RowError, text, user

MARK = "####"


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `math_answer`: the number behind ``####``, thousands without commas."""
    del options
    question, answer = text(row, "question"), text(row, "answer")
    _, mark, final = answer.rpartition(MARK)
    expected = final.strip().replace(",", "")
    if not mark or not expected:
        raise RowError(f"'answer' does not end with {MARK} and the number")
    return Converted(
        task={"mathAnswer": {"expected": expected}},
        prompt=user(f"{question}\n\n{BOXED}"),
        solutions=(answer,),
    )
