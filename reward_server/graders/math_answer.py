"""Grades a final answer by its value. Plain numbers are settled here; everything else is read in a guest."""

import re
from dataclasses import replace
from typing import Any

from reward_server.graders.answers import final_answer, visible_text
from reward_server.graders.base import RESPONSES
from reward_server.tasks.math_answer import MAX_CHARACTERS, MathAnswerTask, MathForm, MathLocale, MathPercent
from reward_server.verdict import Check, Flag, Ruling, Verdict, clip
from sandboxes.base import Execution, Job, Limits

_PLAIN_NUMBER = re.compile(r"[-+]?\d{1,30}(?:\.\d{1,30})?")
_WHOLE_NUMBER = re.compile(r"[-+]?[0-9]{1,30}")
_ENDINGS = {"cpu_limit": "in time", "wall_limit": "in time", "memory_limit": "within memory"}
_MAX_CANDIDATES = 20
_MAX_SOLUTION = 100_000
_BELOW_ONE = 1.0 - 2.0**-40
_REASONS = {
    "different": "is not the expected answer",
    "form": "has the expected value, in another form than was asked",
    "unreadable": "cannot be read as an answer",
    "undecided": "could not be shown to be the expected answer",
}
_DOUBTFUL = {"undecided": "undecided", "unreadable": "unreadable_answer"}
"""Outcomes that score 0 for want of proof, not by proof, and the flag that says so."""


class MathAnswer:
    """Implements `Grader` for `MathAnswerTask`."""

    name = "math_answer"
    version = "5"

    def prepare(self, task: MathAnswerTask, limits: Limits) -> Job | None:
        """Nothing needs to run ahead."""
        del task, limits
        return None

    def plan(self, task: MathAnswerTask, response: str, limits: Limits) -> Job | Verdict:
        """Find the final answer; settle the trivial, send the rest to the guest."""
        found = final_answer(response)
        distinct = list(dict.fromkeys(found.candidates)) if found.text is not None else []
        if not distinct and not task.steps:
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="The response gives no final answer.")
        if any(len(text) > MAX_CHARACTERS for text in distinct):
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="The final answer is too long to be one.")
        if len(distinct) > _MAX_CANDIDATES:
            return _hedged(f"{len(distinct)} final answers")
        if _is_trivial(task) and distinct == [found.text]:
            if _same_number(distinct[0], task.expected):
                return _right(distinct[0])
            if _other_number(distinct[0], task):
                return _final("different", distinct[0], "", ())
        solution = clip(visible_text(response), _MAX_SOLUTION) if task.steps else None
        payload = _payload(task, [clip(text, MAX_CHARACTERS) for text in distinct], found.joined, solution)
        return Job(program="math_answer", payload=payload, limits=limits, aside=found.text or "", company=RESPONSES)

    def judge(self, task: MathAnswerTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Turn what the guest found into a verdict."""
        del reference
        answer = str(job.aside)
        outcome = str(execution.report.get("outcome", "undecided"))
        detail = str(execution.report.get("detail", ""))
        if not execution.report:
            detail = f"it could not be compared {_ENDINGS.get(execution.ending.value, '')}".strip()
        flags = tuple(Flag(name, text) for name, text in execution.flags)
        if outcome in _DOUBTFUL:
            flags = (*flags, Flag(_DOUBTFUL[outcome], detail))
        final = _final(outcome, answer, detail, flags)
        return with_steps(task, final, execution.report.get("steps")) if task.steps else final


GRADER = MathAnswer()


def _is_trivial(task: MathAnswerTask) -> bool:
    """Return whether the same numeral is right under the task's rules, whatever they say of other answers."""
    plain_form = task.form in (MathForm.EVALUATED, MathForm.ANY)
    return plain_form and not task.steps and not task.unit_required and task.locale is MathLocale.POINT


def _payload(task: MathAnswerTask, answers: list[str], joined: str | None, solution: str | None) -> dict[str, Any]:
    return {
        "answers": answers,
        "joined": clip(joined or "", MAX_CHARACTERS),
        "expected": [task.expected, *task.accepted],
        "rules": {
            "tolerance": task.tolerance,
            "decimal_places": None if task.form is MathForm.DECIMAL else task.decimal_places,
            "ordered": task.ordered,
            "ignore_percent": task.percent is MathPercent.IGNORED,
            "optional_percent": task.percent is MathPercent.OPTIONAL,
            "allow_unevaluated": task.form in (MathForm.ANY, MathForm.FACTORED),
            "unit_required": task.unit_required,
        },
        "form": task.form.value,
        "places": task.decimal_places,
        "comma_locale": task.locale is MathLocale.COMMA,
        "choices": list(task.choices),
        "solution": solution,
        "givens": list(task.givens),
    }


def _final(outcome: str, answer: str, detail: str, flags: tuple[Flag, ...]) -> Verdict:
    """Return the verdict on the final answer alone."""
    match outcome:
        case "equal":
            return _right(answer)
        case "hedged":
            return _hedged(detail)
        case "none":
            summary = "The response gives no final answer."
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary=summary, checks=(Check("value", 0.0),))
    summary = f"{clip(answer, 200)!r} {_REASONS.get(outcome, _REASONS['undecided'])}."
    checks: tuple[Check, ...] = (Check("value", 0.0, 1.0, detail or summary),)
    if outcome == "form":
        checks = (Check("value", 1.0, 0.0), Check("form", 0.0, 1.0, detail))
    return Verdict(score=0.0, ruling=Ruling.WRONG_ANSWER, summary=summary, checks=checks, flags=flags)


def with_steps(task: MathAnswerTask, final: Verdict, findings: Any) -> Verdict:
    """Combine the verdict on the final answer with the steps: a right step earns their share, each wrong one halves it.

    A share that grew with the number of right steps would pay for padding.
    """
    share = 0.5 if task.steps_share is None else task.steps_share
    found = [step for step in findings or () if isinstance(step, dict)]
    right = sum(step["right"] is True for step in found)
    wrong = sum(step["right"] is False for step in found)
    earned = 0.5**wrong if right else 0.0
    tally = f"{right} right, {wrong} wrong, {len(found) - right - wrong} that count neither way"
    steps = [
        Check(f"step {i}", float(step["right"]), 0.0, f"{step['text']}: {step['detail']}")
        for i, step in enumerate(found, start=1)
        if step["right"] is not None
    ]
    full = final.score == 1.0 and earned == 1.0
    score = 1.0 if full else min((1.0 - share) * final.score + share * earned, _BELOW_ONE)
    return Verdict(
        score=score,
        ruling=Ruling.ACCEPTED if full else Ruling.PARTIAL if score > 0.0 else final.ruling,
        summary=f"{final.summary} Steps: {tally}.",
        checks=(
            *(replace(check, weight=check.weight * (1.0 - share)) for check in final.checks),
            Check("steps", earned, share, tally),
            *steps,
        ),
        flags=(*final.flags, *_doubtful_steps(found)),
    )


def _doubtful_steps(found: list[dict[str, Any]]) -> tuple[Flag, ...]:
    count = sum(step["right"] is None and step["detail"] == "it could not be decided" for step in found)
    return (Flag("undecided_steps", f"{count} of {len(found)} equations"),) if count else ()


def _same_number(answer: str, expected: str) -> bool:
    """Return whether both are the same numeral; None of the rules of a task can make that wrong."""
    mine, theirs = answer.strip(), expected.strip()
    return mine == theirs and bool(_PLAIN_NUMBER.fullmatch(mine))


def _other_number(answer: str, task: MathAnswerTask) -> bool:
    """Return whether the answer and all that are accepted are whole numbers, and it is none of them."""
    texts = [text.strip() for text in (answer, task.expected, *task.accepted)]
    if task.tolerance or not all(map(_WHOLE_NUMBER.fullmatch, texts)):
        return False
    mine, *theirs = map(int, texts)
    return mine not in theirs


def _right(answer: str) -> Verdict:
    return Verdict(
        score=1.0,
        ruling=Ruling.ACCEPTED,
        summary=f"{clip(answer, 200)!r} is the expected answer.",
        checks=(Check("value", 1.0),),
    )


def _hedged(detail: str) -> Verdict:
    return Verdict(
        score=0.0,
        ruling=Ruling.NO_ANSWER,
        summary=f"Several different final answers are no answer: {detail}.",
        checks=(Check("single_answer", 0.0, 1.0, detail),),
        flags=(Flag("hedged_answer", detail),),
    )
