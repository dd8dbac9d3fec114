"""Grades code by its tests. What tests expect stays here or with the examiner; the response's process says values."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.graders.answers import defines, extract_code
from reward_server.graders.code_comparison import classes_of, stdout_matches, values_match
from reward_server.tasks.code_tests import CallTest, CodeTestsTask, Language, StdioTest, TestScoring
from reward_server.verdict import Check, Flag, Ruling, Verdict, clip, ruling_for, weighted_share
from sandboxes.base import AssuranceLevel, Execution, Job, Limits
from sandboxes.errors import SandboxUnavailableError
from sandboxes.values import CodecError, decode, encode, parse_literal

FENCES = {
    Language.PYTHON: ("python", "py", "python3", "py3"),
    Language.BASH: ("bash", "sh", "shell"),
    Language.CPP: ("cpp", "c++", "cc", "cxx"),
    Language.GO: ("go", "golang"),
    Language.JAVASCRIPT: ("javascript", "js", "node"),
    Language.RUST: ("rust", "rs"),
    Language.TYPESCRIPT: ("typescript", "ts"),
}
"""What fences call a language, where it is not its own name alone."""
_SHOWN = 200
MAX_CODE_BYTES = 1 << 20
"""Of a response; with a prefix of the same length it still fits into a frame."""
_FUTURE = "from __future__ import "
"""Must stand first in a module, so before the prefix."""
_ENDINGS = {
    "cpu_limit": Ruling.TIME_LIMIT,
    "wall_limit": Ruling.TIME_LIMIT,
    "memory_limit": Ruling.MEMORY_LIMIT,
    "output_limit": Ruling.OUTPUT_LIMIT,
}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One check, and what a zero score for it would be called."""

    check: Check
    reason: Ruling
    hidden: bool = False


class CodeTests:
    """Implements `Grader` for `CodeTestsTask`."""

    name = "code_tests"
    version = "1"
    languages = tuple(Language)

    def prepare(self, task: CodeTestsTask, limits: Limits) -> Job | None:
        """Run the reference solution, if there is one, as if it were a response."""
        if not task.reference_solution:
            return None
        planned = self.plan(task, task.reference_solution, limits)
        if isinstance(planned, Verdict):
            raise InvalidTaskError("reference_solution", planned.summary)
        return planned

    def plan(self, task: CodeTestsTask, response: str, limits: Limits) -> Job | Verdict:
        """Run the response's code with every test's input."""
        defining = task.entry_point or next((call.function for call in task.call_tests), "")
        code = extract_code(response, FENCES.get(task.language, (task.language.value,)), defining)
        if code.text is None:
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="The response contains no code.")
        if len(code.text.encode("utf-8", "replace")) > MAX_CODE_BYTES:
            summary = f"The code is longer than {MAX_CODE_BYTES} bytes."
            return Verdict(score=0.0, ruling=Ruling.OUTPUT_LIMIT, summary=summary)
        if task.language is not Language.PYTHON:
            return _program(task, code.text, limits)
        programs = [{"code": test.code, "framework": ""} for test in task.assert_tests]
        if not task.shared_process:
            programs += [{"code": test.code, "framework": "pytest"} for test in task.test_files]
        payload: dict[str, Any] = {
            "source": _source(task, code.text),
            "calls": [_call(call, task.entry_point) for call in task.call_tests],
            "inputs": [test.stdin for test in task.stdio_tests],
            "programs": programs,
            "entry_point": task.entry_point,
            "prefix": task.prefix,
        }
        if task.checker:
            payload["checker"] = {"source": task.checker, "expected": [t.expected_stdout for t in task.stdio_tests]}
        if task.shared_process:
            payload["shared_files"] = [{"code": test.code} for test in task.test_files]
        level = AssuranceLevel.LOW if task.shared_process else None
        return Job(program="python_code", payload=payload, limits=limits, assurance_level=level)

    def judge(self, task: CodeTestsTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Compare what came out with what was expected."""
        if reference is not None:
            self._require_right(task, job, reference)
        if task.language is not Language.PYTHON and (refused := _not_built(task, execution)):
            return refused
        outcomes = list(_outcomes(task, execution))
        checks = tuple(outcome.check for outcome in outcomes)
        score = weighted_share(checks)
        if task.scoring is TestScoring.ALL_OR_NOTHING and score < 1.0:
            score = 0.0
        counted = [outcome for outcome in outcomes if outcome.check.weight > 0]
        failed = [outcome for outcome in counted if outcome.check.score < 1.0]
        reasons = Counter(outcome.reason for outcome in failed)
        reason = reasons.most_common(1)[0][0] if reasons else Ruling.WRONG_ANSWER
        passed = len(counted) - len(failed)
        summary = f"{passed} of {len(counted)} checks passed."
        if failed and failed[0].check.detail:
            summary += f" First failure, {failed[0].check.name}: {clip(failed[0].check.detail, 300)}"
        return Verdict(
            score=score,
            ruling=ruling_for(score, reason),
            summary=summary,
            checks=checks,
            flags=tuple(_flags(execution, outcomes)),
        )

    def _require_right(self, task: CodeTestsTask, job: Job, reference: Execution) -> None:
        """Raise `InvalidTaskError` unless the task's own solution passes every test."""
        verdict = self.judge(task, job, reference, None)
        if reference.pressed and verdict.ruling in _ENDINGS.values():
            raise SandboxUnavailableError(f"the reference solution met a limit: {verdict.summary}")
        if verdict.ruling is not Ruling.ACCEPTED:
            raise InvalidTaskError("reference_solution", f"it does not pass: {verdict.summary}")


GRADER = CodeTests()


def _program(task: CodeTestsTask, code: str, limits: Limits) -> Job:
    """Compile once, run for every input."""
    source = f"{task.prefix}\n{code}" if task.prefix else code
    payload = {
        "language": task.language.value,
        "source": source,
        "inputs": [test.stdin for test in task.stdio_tests],
    }
    return Job(program="program_stdio", payload=payload, limits=limits)


def _not_built(task: CodeTestsTask, execution: Execution) -> Verdict | None:
    """Return the verdict on a program that did not compile. Raises `SandboxUnavailableError` without a compiler."""
    report = execution.report
    if "missing" in report:
        raise SandboxUnavailableError(f"it has no tools for {task.language}: {clip(str(report['missing']), 300)}")
    if "build_error" not in report:
        return None
    said = clip(str(report["build_error"]), 1_000)
    checks = (Check("compiles", 0.0, 1.0, said),)
    return Verdict(
        score=0.0, ruling=Ruling.RUNTIME_ERROR, summary=f"It does not compile: {clip(said, 300)}", checks=checks
    )


def _source(task: CodeTestsTask, code: str) -> str:
    """Put the prefix before the code; a response that brings the whole function needs only what stands before it."""
    if not task.prefix:
        return code
    if not (task.entry_point and defines(code, task.entry_point)):
        return f"{task.prefix}\n{code}" if not task.prefix.endswith("\n") else task.prefix + code
    lines = task.prefix.split("\n")
    at = next((i for i, line in enumerate(lines) if defines(line, task.entry_point)), len(lines))
    while at and lines[at - 1].lstrip().startswith("@"):
        at -= 1
    code_lines = code.split("\n")
    future = [line for line in code_lines if line.startswith(_FUTURE)]
    return "\n".join([*future, *lines[:at], *(line for line in code_lines if not line.startswith(_FUTURE))])


def _call(test: CallTest, entry_point: str) -> dict[str, Any]:
    return {
        "function": test.function or entry_point,
        "args": [encode(parse_literal(text)) for text in test.args],
        "kwargs": {name: encode(parse_literal(text)) for name, text in test.kwargs.items()},
    }


def _outcomes(task: CodeTestsTask, execution: Execution) -> Iterator[_Outcome]:
    report: Mapping[str, Any] = execution.report
    missing = {"ended": execution.ending.value, "detail": "the time for all tests was used up"}
    for i, call in enumerate(task.call_tests):
        yield _judge_call(call, f"call[{i}]", _at(report.get("calls"), i, missing))
    checked = report.get("checked")
    for i, stdio in enumerate(task.stdio_tests):
        facts = _at(report.get("runs"), i, missing)
        judged = _verdict_of_checker(checked, i) if task.checker and _succeeded(facts) else None
        yield _judge_run(stdio, f"stdio[{i}]", facts, judged)
    programs = report.get("programs")
    for i, test in enumerate(task.assert_tests):
        facts = _at(programs, i, missing)
        _refuse_invalid(facts, f"assert_tests[{i}].code")
        yield from _judge_program(
            test.name or f"assert[{i}]", facts, "asserts", _weight(test.weight), hidden=test.hidden
        )
    for i, file in enumerate(task.test_files):
        facts = _at(programs, len(task.assert_tests) + i, missing)
        _refuse_invalid(facts, f"test_files[{i}].code")
        yield from _judge_program(file.name or f"file[{i}]", facts, "tests", _weight(file.weight), hidden=file.hidden)


def _at(items: Any, index: int, missing: Mapping[str, Any]) -> Mapping[str, Any]:
    return items[index] if isinstance(items, Sequence) and index < len(items) else missing


def _refuse_invalid(facts: Mapping[str, Any], path: str) -> None:
    if facts.get("invalid"):
        raise InvalidTaskError(path, f"the test program cannot run: {facts['invalid']}")


def _weight(weight: float | None) -> float:
    return 1.0 if weight is None else weight


def _judge_call(test: CallTest, default: str, facts: Mapping[str, Any]) -> _Outcome:
    passed, reason, detail = _compare_call(test, facts)
    check = Check(test.name or default, float(passed), _weight(test.weight), detail)
    return _Outcome(check, reason, test.hidden)


def _compare_call(test: CallTest, facts: Mapping[str, Any]) -> tuple[bool, Ruling, str]:
    if "raised" in facts:
        names = facts["raised"].get("mro") or []
        if test.raises and not facts.get("loading"):
            return test.raises in classes_of(names), Ruling.WRONG_ANSWER, _raised(facts["raised"])
        return False, _ruling_of_raised(names), _raised(facts["raised"])
    if "value" not in facts:
        return False, _ruling_of_ending(facts), str(facts.get("detail", ""))
    try:
        actual = decode(json.loads(facts["value"]))
    except (CodecError, RecursionError, ValueError):
        return False, Ruling.WRONG_ANSWER, "it returned something that is no plain value"
    if test.raises:
        return False, Ruling.WRONG_ANSWER, f"returned {_show(actual)}, expected {test.raises} to be raised"
    expected = parse_literal(test.expected)
    if values_match(actual, expected, tolerance=test.tolerance, sequences_match=test.sequences_match):
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


def _ruling_of_ending(facts: Mapping[str, Any]) -> Ruling:
    if "MemoryError" in str(facts.get("stderr", ""))[-200:]:
        return Ruling.MEMORY_LIMIT
    return _ENDINGS.get(str(facts.get("ended", "")), Ruling.RUNTIME_ERROR)


def _verdict_of_checker(checked: Any, index: int) -> float:
    facts = _at(checked, index, {"error": "it did not answer"})
    score = facts.get("score")
    if not isinstance(score, int | float) or not 0.0 <= score <= 1.0:
        raise InvalidTaskError(
            "checker", f"failed on stdio_tests[{index}]: {facts.get('error') or f'it returned {score!r}'}"
        )
    return float(score)


def _judge_run(test: StdioTest, default: str, facts: Mapping[str, Any], checked: float | None) -> _Outcome:
    name, weight = test.name or default, _weight(test.weight)
    if not _succeeded(facts):
        error = str(facts.get("stderr", "")).strip().rpartition("\n")[2]
        detail = f"{facts.get('detail', '')}: {error}" if error else str(facts.get("detail", ""))
        return _Outcome(Check(name, 0.0, weight, detail), _ruling_of_ending(facts), test.hidden)
    stdout = str(facts.get("stdout", ""))
    if checked is not None:
        return _Outcome(
            Check(name, checked, weight, "" if checked == 1.0 else "the checker says so"),
            Ruling.WRONG_ANSWER,
            test.hidden,
        )
    if stdout_matches(stdout, test.expected_stdout, test.comparison, test.tolerance):
        return _Outcome(Check(name, 1.0, weight), Ruling.ACCEPTED, test.hidden)
    return _Outcome(
        Check(name, 0.0, weight, _difference(stdout, test.expected_stdout)), Ruling.WRONG_ANSWER, test.hidden
    )


def _succeeded(run: Mapping[str, Any]) -> bool:
    return run.get("ended") == "exited" and run.get("exit_status") == 0


def _difference(actual: str, expected: str) -> str:
    """Say in which line the output differs first."""
    mine, theirs = actual.split("\n"), expected.split("\n")
    for number, (a, b) in enumerate(zip(mine, theirs, strict=False), start=1):
        if a.rstrip() != b.rstrip():
            return f"line {number}: printed {clip(a, _SHOWN)!r}, expected {clip(b, _SHOWN)!r}"
    return f"printed {len(mine)} lines, expected {len(theirs)}"


def _judge_program(
    name: str, facts: Mapping[str, Any], kind: str, weight: float, *, hidden: bool
) -> Iterator[_Outcome]:
    """Yield one outcome per assert or test; one for the whole program when there are none to show."""
    parts = [part for part in facts.get(kind) or () if part["passed"] is not None or facts.get("error")]
    reason = _reason_of_program(facts)
    if not parts:
        detail = str(facts.get("error") or facts.get("detail") or "no assert was reached")
        yield _Outcome(Check(name, 0.0, weight, detail), reason, hidden)
    for i, part in enumerate(parts):
        detail = part["detail"]
        if not part["passed"]:
            detail = detail or (f"not reached: {facts['error']}" if part["passed"] is None else part.get("source", ""))
        label = f"{name}[{i}]" if kind == "asserts" else f"{name}::{part['name']}"
        yield _Outcome(Check(label, float(part["passed"] is True), weight / len(parts), detail), reason, hidden)


def _reason_of_program(facts: Mapping[str, Any]) -> Ruling:
    for ending in (*facts.get("endings", ()), facts.get("examiner_ended", ""), facts.get("ended", "")):
        if ending in _ENDINGS:
            return _ENDINGS[ending]
    error = str(facts.get("error", ""))
    if error.startswith("MemoryError"):
        return Ruling.MEMORY_LIMIT
    if facts.get("candidate_ended") or error.startswith(("SyntaxError", "IndentationError")):
        return Ruling.RUNTIME_ERROR
    details = [part["detail"] for part in (*facts.get("asserts", ()), *facts.get("tests", ())) if not part["passed"]]
    return Ruling.RUNTIME_ERROR if error or (details and all(details)) else Ruling.WRONG_ANSWER


def _flags(execution: Execution, outcomes: Sequence[_Outcome]) -> Iterator[Flag]:
    for name, detail in execution.flags:
        yield Flag(name, detail)
    report: Any = execution.report
    if any(_exited(facts) for facts in (*(report.get("calls") or ()), *(report.get("programs") or ()))):
        yield Flag("early_exit", "the code tried to end the process instead of returning")
    if forged := [name for program in report.get("programs") or () for name in program.get("forged") or ()]:
        yield Flag("forged_tests", f"passed also as their decoys: {', '.join(forged)}")
    if kinds := sorted(
        {kind for program in report.get("programs") or () for kind in program.get("equal_to_all") or ()}
    ):
        yield Flag("equality_always_true", f"equal to everything: {', '.join(kinds)}")
    visible = [outcome.check.score for outcome in outcomes if not outcome.hidden]
    hidden = [outcome.check.score for outcome in outcomes if outcome.hidden]
    if visible and hidden and min(visible) == 1.0 and max(hidden) == 0.0:
        yield Flag(
            "hardcoded_visible_tests", f"all {len(visible)} visible checks passed and all {len(hidden)} hidden failed"
        )


def _exited(facts: Mapping[str, Any]) -> bool:
    return (
        facts.get("ended") == "exited"
        or "SystemExit" in (facts.get("raised") or {}).get("mro", ())
        or "exited" in facts.get("endings", ())
    )
