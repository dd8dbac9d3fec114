"""Grades a final answer by its value. The same plain number is settled here; everything else is read in a guest."""

import re
from typing import Any

from reward_server.graders.answers import final_answer
from reward_server.tasks.math_answer import MAX_CHARACTERS, MathAnswerTask
from reward_server.verdict import Check, Flag, Ruling, Verdict, clip
from sandboxes.base import Execution, Job, Limits

_PLAIN_NUMBER = re.compile(r"[-+]?\d{1,30}(?:\.\d{1,30})?")
_ENDINGS = {"cpu_limit": "in time", "wall_limit": "in time", "memory_limit": "within memory"}
_MAX_CANDIDATES = 20


class MathAnswer:
    """Implements `Grader` for `MathAnswerTask`."""

    name = "math_answer"
    version = "1"

    def prepare(self, task: MathAnswerTask, limits: Limits) -> Job | None:
        """Nothing needs to run ahead."""
        del task, limits
        return None

    def plan(self, task: MathAnswerTask, response: str, limits: Limits) -> Job | Verdict:
        """Find the final answer; settle the trivial, send the rest to the guest."""
        found = final_answer(response)
        if found.text is None:
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="The response gives no final answer.")
        if len(found.text) > MAX_CHARACTERS:
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary=f"The answer has {len(found.text)} characters.")
        distinct = list(dict.fromkeys(found.candidates))
        if len(distinct) > _MAX_CANDIDATES:
            return _hedged(f"{len(distinct)} final answers")
        if distinct == [found.text] and _same_number(found.text, task.expected):
            return _right(found.text)
        payload: dict[str, Any] = {
            "answers": [clip(text, MAX_CHARACTERS) for text in distinct],
            "expected": [task.expected, *task.accepted],
            "rules": {
                "tolerance": task.tolerance,
                "decimal_places": task.decimal_places,
                "ordered": task.ordered,
                "ignore_percent": task.ignore_percent,
                "allow_unevaluated": task.allow_unevaluated,
            },
        }
        return Job(program="math_answer", payload=payload, limits=limits, aside=found.text)

    def judge(self, task: MathAnswerTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Turn what the guest found into a verdict."""
        del task, reference
        answer = str(job.aside)
        outcome = str(execution.report.get("outcome", "undecided"))
        detail = str(execution.report.get("detail", ""))
        if not execution.report:
            detail = f"it could not be compared {_ENDINGS.get(execution.ending.value, '')}".strip()
        match outcome:
            case "equal":
                return _right(answer)
            case "hedged":
                return _hedged(detail)
        reasons = {
            "different": "is not the expected answer",
            "unreadable": "cannot be read as an answer",
            "undecided": "could not be shown to be the expected answer",
        }
        summary = f"{clip(answer, 200)!r} {reasons[outcome]}."
        return Verdict(
            score=0.0,
            ruling=Ruling.WRONG_ANSWER,
            summary=summary,
            checks=(Check("value", 0.0, 1.0, detail or summary),),
            flags=tuple(Flag(name, text) for name, text in execution.flags),
        )


GRADER = MathAnswer()


def _same_number(answer: str, expected: str) -> bool:
    """Return whether both are the same numeral; None of the rules of a task can make that wrong."""
    mine, theirs = answer.strip(), expected.strip()
    return mine == theirs and bool(_PLAIN_NUMBER.fullmatch(mine))


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
