"""Grades by a grader that the task brings along. It runs in a box, with the response as data."""

import ast
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.graders.answers import extract_json_text, visible_text
from reward_server.tasks.python_grader import OnError, PythonGraderTask
from reward_server.verdict import Check, Flag, Ruling, Verdict, clip, ruling_for
from sandboxes.base import Ending, Execution, Job, Limits

_PROBES = (
    *("", "0", "yes", "The answer is 0.", '{"answer": 0}', "[0]", "<answer>0</answer>", "\\boxed{0}"),
    *("```\n0\n```", "A: 0\nB: 1\n", "#### 0", "Final answer: 0", "**Answer:** 0"),
)
"""Responses on which a grader should not fail, or at least not in the same way."""
_MAX_LITERALS, _MAX_LITERAL = 50, 200
_RULINGS = {
    "cpu_limit": Ruling.TIME_LIMIT,
    "wall_limit": Ruling.TIME_LIMIT,
    "memory_limit": Ruling.MEMORY_LIMIT,
    "output_limit": Ruling.OUTPUT_LIMIT,
}


class PythonGrader:
    """Implements `Grader` for `PythonGraderTask`."""

    name = "python_grader"
    version = "2"

    def prepare(self, task: PythonGraderTask, limits: Limits) -> Job | None:
        """Nothing needs to run ahead."""
        del task, limits
        return None

    def plan(self, task: PythonGraderTask, response: str, limits: Limits) -> Job:
        """Send the grader and the response to the guest."""
        working = task.working_response
        payload: dict[str, Any] = {
            "source": task.source,
            "item": task.item or "{}",
            "samples": [_sample(response)],
            "probes": [_sample(probe) for probe in ((working,) if working else _PROBES)],
            "literal_probes": [] if working else [_sample(probe) for probe in _literal_probes(task.source)],
        }
        return Job(program="python_grader", payload=payload, limits=limits)

    def judge(self, task: PythonGraderTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Return what the grader said; where it failed, say whether the task or the response is to blame."""
        del job, reference
        report = execution.report
        flags = tuple(Flag(name, detail) for name, detail in execution.flags)
        if not report:
            raise InvalidTaskError("source", f"the grader gave no score: {_trouble(execution)}")
        if error := report.get("error"):
            if not _is_stumble(task, report):
                raise InvalidTaskError("source", f"the grader failed: {error}")
            return _stumbled(str(error), report.get("ending"), flags)
        score = _share(report.get("score"), "score")
        return Verdict(
            score=score,
            ruling=ruling_for(score),
            summary=clip(str(report.get("summary") or f"The task's own grader gave {score:.4g}.")),
            checks=_checks(report.get("checks")),
            flags=flags,
        )


GRADER = PythonGrader()


def _sample(response: str) -> dict[str, Any]:
    text, found = visible_text(response), extract_json_text(response).text
    return {"response": response, "output_text": text, "output_json": found}


@lru_cache(maxsize=256)
def _literal_probes(source: str) -> tuple[str, ...]:
    """Return responses with all texts that the grader itself names: the marks that it looks for are among them."""
    constants = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    found = dict.fromkeys(text for text in constants if isinstance(text, str) and 0 < len(text) <= _MAX_LITERAL)
    literals = list(found)[:_MAX_LITERALS]
    return tuple(f"0{gap}{f'{gap}0{gap}'.join(literals)}{gap}0" for gap in ("", " ", "\n")) if literals else ()


def _is_stumble(task: PythonGraderTask, report: Mapping[str, Any]) -> bool:
    if report.get("kind") == "loading" or task.on_error is OnError.INVALID_TASK:
        return False
    return task.on_error is OnError.ZERO or report.get("stumbled") is True


def _stumbled(error: str, ending: object, flags: tuple[Flag, ...]) -> Verdict:
    """Return the verdict on a response that broke its grader: it is not to be spared its grade."""
    summary = clip(f"The task's grader fails on this response, and not on others: {error}")
    ruling = _RULINGS.get(str(ending), Ruling.WRONG_ANSWER)
    return Verdict(score=0.0, ruling=ruling, summary=summary, flags=(*flags, Flag("grader_stumbled", error)))


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
