"""Grades by a grader that the task brings along. It runs in a box, with the response as data."""

from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.graders.answers import extract_json_text, visible_text
from reward_server.tasks.python_grader import PythonGraderTask
from reward_server.verdict import Check, Flag, Verdict, clip, ruling_for
from sandboxes.base import Ending, Execution, Job, Limits


class PythonGrader:
    """Implements `Grader` for `PythonGraderTask`."""

    name = "python_grader"
    version = "1"

    def prepare(self, task: PythonGraderTask, limits: Limits) -> Job | None:
        """Nothing needs to run ahead."""
        del task, limits
        return None

    def plan(self, task: PythonGraderTask, response: str, limits: Limits) -> Job:
        """Send the grader and the response to the guest."""
        payload = {
            "source": task.source,
            "item": task.item or "{}",
            "response": response,
            "output_text": visible_text(response),
            "output_json": extract_json_text(response).text,
        }
        return Job(program="python_grader", payload=payload, limits=limits)

    def judge(self, task: PythonGraderTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Return what the grader said. One that said nothing usable makes the task invalid, not the response wrong."""
        del task, job, reference
        report = execution.report
        if not report:
            raise InvalidTaskError("source", f"the grader gave no score: {_trouble(execution)}")
        if error := report.get("error"):
            raise InvalidTaskError("source", f"the grader failed: {error}")
        score = _share(report.get("score"), "score")
        return Verdict(
            score=score,
            ruling=ruling_for(score),
            summary=clip(str(report.get("summary") or f"The task's own grader gave {score:.4g}.")),
            checks=_checks(report.get("checks")),
            flags=tuple(Flag(name, detail) for name, detail in execution.flags),
        )


GRADER = PythonGrader()


def _trouble(execution: Execution) -> str:
    if execution.ending is Ending.EXITED:
        return f"it ended with status {execution.exit_status}: {clip(execution.stderr, 500)}"
    return f"it met its {execution.ending.value}" if "limit" in execution.ending.value else "it was killed"


def _share(value: Any, path: str) -> float:
    if isinstance(value, bool | int | float) and 0.0 <= value <= 1.0:
        return float(value)
    raise InvalidTaskError("source", f"the grader gave as {path} {clip(repr(value), 100)}, no number in [0, 1]")


def _checks(reported: Any) -> tuple[Check, ...]:
    checks = []
    for i, entry in enumerate(reported or ()):
        name = clip(str(entry.get("name") or f"check[{i}]"), 200)
        weight = entry.get("weight", 1.0)
        if not isinstance(weight, bool | int | float) or not 0 <= weight < float("inf"):
            raise InvalidTaskError("source", f"the grader gave as weight of {name} {clip(repr(weight), 100)}")
        detail = str(entry.get("detail") or "")
        checks.append(Check(name, _share(entry.get("score"), f"score of {name}"), float(weight), detail))
    return tuple(checks)
