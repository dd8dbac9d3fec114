"""Grades code by its tests. What tests expect stays here or with the examiner; the response's process says values."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.graders.answers import named_files
from reward_server.graders.code_jobs import COMPILED, job_for
from reward_server.graders.code_outcomes import (
    ENDINGS,
    Outcome,
    at,
    judge_call,
    judge_conversation,
    judge_run,
    succeeded,
    verdict_of_checker,
    weight_of,
)
from reward_server.graders.code_programs import judge_program, refuse_invalid
from reward_server.graders.code_sources import extract
from reward_server.tasks.code_tests import CodeTestsTask, Language, TestScoring
from reward_server.verdict import Check, Flag, Ruling, Verdict, clip, ruling_for, weighted_share
from sandboxes.base import Execution, Job, Limits
from sandboxes.errors import SandboxUnavailableError

MAX_CODE_BYTES = 1 << 20
"""Of a response; with a prefix of the same length it still fits into a frame."""
_MAX_FRAMED = 3 << 20
"""Of its code as JSON, where a control character takes six: so that it fits beside the tests, too."""
_COMPILE = "compile"
"""The check that tells a program that does not compile from one that fails."""


class CodeTests:
    """Implements `Grader` for `CodeTestsTask`."""

    name = "code_tests"
    version = "3"
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
        code = extract(task, response)
        if code.text is None:
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="The response contains no code.")
        if len(code.text.encode("utf-8", "replace")) > MAX_CODE_BYTES or len(json.dumps(code.text)) > _MAX_FRAMED:
            summary = f"The code is longer than {MAX_CODE_BYTES} bytes."
            return Verdict(score=0.0, ruling=Ruling.OUTPUT_LIMIT, summary=summary)
        more = named_files(response, task.response_files) if task.response_files else {}
        if sum(map(len, more.values())) > MAX_CODE_BYTES:
            summary = f"Its other files are longer than {MAX_CODE_BYTES} characters."
            return Verdict(score=0.0, ruling=Ruling.OUTPUT_LIMIT, summary=summary)
        return job_for(task, code.text, more, limits)

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
        if reference.pressed and verdict.ruling in ENDINGS.values():
            raise SandboxUnavailableError(f"the reference solution met a limit: {verdict.summary}")
        if verdict.ruling is not Ruling.ACCEPTED:
            raise InvalidTaskError("reference_solution", f"it does not pass: {verdict.summary}")


GRADER = CodeTests()


def _not_built(task: CodeTestsTask, execution: Execution) -> Verdict | None:
    """Return the verdict on a program that did not compile. Raises `SandboxUnavailableError` without a compiler."""
    report = execution.report
    if "missing" in report:
        raise SandboxUnavailableError(f"it has no tools for {task.language}: {clip(str(report['missing']), 300)}")
    if "build_error" not in report:
        return None
    said = clip(str(report["build_error"]), 1_000)
    checks = (Check(_COMPILE, 0.0, 1.0, said),)
    return Verdict(
        score=0.0, ruling=Ruling.RUNTIME_ERROR, summary=f"It does not compile: {clip(said, 300)}", checks=checks
    )


def _outcomes(task: CodeTestsTask, execution: Execution) -> Iterator[Outcome]:
    report: Mapping[str, Any] = execution.report
    missing = {"ended": execution.ending.value, "detail": "the time for all tests was used up"}
    if task.language in COMPILED and "built" in report:
        yield Outcome(Check(_COMPILE, 1.0, 0.0), Ruling.RUNTIME_ERROR)
    for i, call in enumerate(task.call_tests):
        yield judge_call(call, f"call[{i}]", at(report.get("calls"), i, missing), task.language)
    checked = report.get("checked")
    for i, stdio in enumerate(task.stdio_tests):
        facts = at(report.get("runs"), i, missing)
        judged = verdict_of_checker(checked, i) if task.checker and succeeded(facts) else None
        yield judge_run(stdio, f"stdio[{i}]", facts, judged)
    for i, interactive in enumerate(task.interactive_tests):
        yield judge_conversation(interactive, f"interactive[{i}]", at(report.get("conversations"), i, missing))
    programs = report.get("programs")
    for i, test in enumerate(task.assert_tests):
        facts = at(programs, i, missing)
        refuse_invalid(facts, f"assert_tests[{i}].code")
        yield from judge_program(
            test.name or f"assert[{i}]", facts, "asserts", weight_of(test.weight), hidden=test.hidden
        )
    for i, file in enumerate(task.test_files):
        facts = at(programs, len(task.assert_tests) + i, missing)
        refuse_invalid(facts, f"test_files[{i}].code")
        yield from judge_program(file.name or f"file[{i}]", facts, "tests", weight_of(file.weight), hidden=file.hidden)


def _flags(execution: Execution, outcomes: Sequence[Outcome]) -> Iterator[Flag]:
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
    visible = [outcome.check.score for outcome in outcomes if not outcome.hidden and outcome.check.name != _COMPILE]
    hidden = [outcome.check.score for outcome in outcomes if outcome.hidden]
    if visible and hidden and min(visible) == 1.0 and max(hidden) == 0.0:
        yield Flag(
            "hardcoded_visible_tests", f"all {len(visible)} visible checks passed and all {len(hidden)} hidden failed"
        )


def _exited(facts: Mapping[str, Any]) -> bool:
    return (
        (facts.get("ended") == "exited" and not (facts.get("plain") and facts.get("exit_status")))  # a crash there
        or "SystemExit" in (facts.get("raised") or {}).get("mro", ())
        or "exited" in facts.get("endings", ())
    )
