"""From what a response did in one call or run to the check on it. For test programs see `code_programs`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.graders.code_comparison import classes_of, plain_match, stdout_matches, values_match
from reward_server.tasks.code_tests import CallTest, InteractiveTest, Language, StdioTest
from reward_server.verdict import Check, Ruling, clip
from sandboxes.values import CodecError, decode, parse_literal

_SHOWN = 200
_ARRAYS_ARE_MAPS = (Language.LUA, Language.PHP)
"""Languages in which an empty list and an empty map are the same value."""
ENDINGS = {
    "cpu_limit": Ruling.TIME_LIMIT,
    "wall_limit": Ruling.TIME_LIMIT,
    "memory_limit": Ruling.MEMORY_LIMIT,
    "output_limit": Ruling.OUTPUT_LIMIT,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check, and what a zero score for it would be called."""

    check: Check
    reason: Ruling
    hidden: bool = False


def at(items: Any, index: int, missing: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the facts at ``index``, or ``missing`` where a report has none."""
    return items[index] if isinstance(items, Sequence) and index < len(items) else missing


def weight_of(weight: float | None) -> float:
    """Return the weight that a test has."""
    return 1.0 if weight is None else weight


def judge_call(test: CallTest, default: str, facts: Mapping[str, Any], language: Language) -> Outcome:
    """Return the check on one call."""
    passed, reason, detail = _compare_call(test, facts, language)
    check = Check(test.name or default, float(passed), weight_of(test.weight), detail)
    return Outcome(check, reason, test.hidden)


def _compare_call(test: CallTest, facts: Mapping[str, Any], language: Language) -> tuple[bool, Ruling, str]:
    if "raised" in facts:
        names = facts["raised"].get("mro") or []
        if test.raises and not facts.get("loading"):
            return test.raises in classes_of(names), Ruling.WRONG_ANSWER, _raised(facts["raised"])
        return False, _ruling_of_raised(names), _raised(facts["raised"])
    if "value" not in facts:
        return False, ruling_of_ending(facts), _ended(facts)
    try:
        actual = json.loads(facts["value"])
        actual = actual if facts.get("plain") else decode(actual)
    except (CodecError, RecursionError, ValueError):
        return False, Ruling.WRONG_ANSWER, "it returned something that is no plain value"
    if test.raises:
        return False, Ruling.WRONG_ANSWER, f"returned {_show(actual)}, expected {test.raises} to be raised"
    expected = parse_literal(test.expected)
    if language is not Language.PYTHON:
        matches = plain_match(actual, expected, tolerance=test.tolerance, arrays_are_maps=language in _ARRAYS_ARE_MAPS)
    else:
        matches = values_match(actual, expected, tolerance=test.tolerance, sequences_match=test.sequences_match)
    if matches:
        return True, Ruling.ACCEPTED, ""
    return False, Ruling.WRONG_ANSWER, f"returned {_show(actual)}, expected {clip(test.expected, _SHOWN)}"


def _show(value: Any) -> str:
    """Return a value as text; integers beyond the interpreter's digit limit are described."""
    try:
        return clip(repr(value), _SHOWN)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too large to print"


def _raised(raised: Mapping[str, Any]) -> str:
    name = (raised.get("mro") or ["an exception"])[0]
    line = f" (line {raised['line']})" if isinstance(raised.get("line"), int) else ""
    return f"raised {clip(str(name), _SHOWN)}: {clip(str(raised.get('message', '')), _SHOWN)}{line}"


def _ruling_of_raised(names: Sequence[str]) -> Ruling:
    return Ruling.MEMORY_LIMIT if "MemoryError" in names else Ruling.RUNTIME_ERROR


def ruling_of_ending(facts: Mapping[str, Any]) -> Ruling:
    """Return what the way a run ended is called."""
    if "MemoryError" in str(facts.get("stderr", ""))[-200:]:
        return Ruling.MEMORY_LIMIT
    return ENDINGS.get(str(facts.get("ended", "")), Ruling.RUNTIME_ERROR)


def verdict_of_checker(checked: Any, index: int) -> float:
    """Return what the task's checker said. Raises `InvalidTaskError` when it failed."""
    facts = at(checked, index, {"error": "it did not answer"})
    score = facts.get("score")
    if not isinstance(score, int | float) or not 0.0 <= score <= 1.0:
        raise InvalidTaskError(
            "checker", f"failed on stdio_tests[{index}]: {facts.get('error') or f'it returned {score!r}'}"
        )
    return float(score)


def judge_run(test: StdioTest, default: str, facts: Mapping[str, Any], checked: float | None) -> Outcome:
    """Return the check on one run of the whole program; ``checked`` is what the task's checker said of it."""
    name, weight = test.name or default, weight_of(test.weight)
    if not succeeded(facts):
        return Outcome(Check(name, 0.0, weight, _ended(facts)), ruling_of_ending(facts), test.hidden)
    stdout = str(facts.get("stdout", ""))
    if checked is not None:
        return Outcome(
            Check(name, checked, weight, "" if checked == 1.0 else "the checker says so"),
            Ruling.WRONG_ANSWER,
            test.hidden,
        )
    if stdout_matches(stdout, test.expected_stdout, test.comparison, test.tolerance):
        return Outcome(Check(name, 1.0, weight), Ruling.ACCEPTED, test.hidden)
    return Outcome(
        Check(name, 0.0, weight, _difference(stdout, test.expected_stdout)), Ruling.WRONG_ANSWER, test.hidden
    )


def judge_conversation(test: InteractiveTest, default: str, facts: Mapping[str, Any]) -> Outcome:
    """Return the check on one conversation. Raises `InvalidTaskError` for a judge that failed on its own."""
    name, weight = test.name or default, weight_of(test.weight)
    if "error" in facts:
        raise InvalidTaskError("interactive_judge", f"failed on {default}: {clip(str(facts['error']), 500)}")
    detail = clip(str(facts.get("detail", "")), 500)
    if "share" in facts:
        share = float(facts["share"])
        said = "" if share == 1.0 else detail or "the judge says so"
        return Outcome(Check(name, share, weight, said), Ruling.WRONG_ANSWER, test.hidden)
    reason = _reason_of_fault(facts) if facts.get("fault", "ended") == "ended" else Ruling.WRONG_ANSWER
    return Outcome(Check(name, 0.0, weight, _ended(facts)), reason, test.hidden)


def _ended(facts: Mapping[str, Any]) -> str:
    """Say how a run ended, with the last line of its standard error."""
    detail = clip(str(facts.get("detail", "")), 500)
    error = str(facts.get("stderr", "")).strip().rpartition("\n")[2]
    return f"{detail}: {clip(error, 500)}" if error else detail


def _reason_of_fault(facts: Mapping[str, Any]) -> Ruling:
    """Tell a program that said good-bye too early from one that failed."""
    if facts.get("ended") == "exited" and facts.get("exit_status") == 0:
        return Ruling.WRONG_ANSWER
    return ruling_of_ending(facts)


def succeeded(run: Mapping[str, Any]) -> bool:
    """Return whether a run ended as a program should."""
    return run.get("ended") == "exited" and run.get("exit_status") == 0


def _difference(actual: str, expected: str) -> str:
    """Say in which line the output differs first."""
    mine, theirs = actual.split("\n"), expected.split("\n")
    for number, (a, b) in enumerate(zip(mine, theirs, strict=False), start=1):
        if a.rstrip() != b.rstrip():
            return f"line {number}: printed {clip(a, _SHOWN)!r}, expected {clip(b, _SHOWN)!r}"
    return f"printed {len(mine)} lines, expected {len(theirs)}"
