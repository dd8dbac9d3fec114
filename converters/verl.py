"""verl's rows: `data_source`, chat messages in `prompt`, `reward_model.ground_truth`; the source says how to grade.

`task_for` is the same without a row, for reward functions that get the three apart. A ground truth may always be a
task itself, as canonical JSON with one grader, whatever its source.
"""

from collections.abc import Callable, Mapping
from typing import Any

from converters.apps import inputs_and_outputs
from converters.code import code_task
from converters.records import Converted, Options, RowError, mapping, messages, named, parsed, plain, text, texts

_MATHEMATICS = frozenset(
    {"math", "math_dapo", "math_dapo_reasoning", "lighteval/math", "digitallearninggmbh/math-lighteval"}
    | {"huggingfaceh4/math-500", "hiyouga/geometry3k"}
)
_MATHEMATICAL = ("aime", "amc", "numina_")
"""How the names of further sources begin."""
_CODE = frozenset({"codecontests", "apps", "codeforces", "taco", "livecodebench"})
_GRADERS = frozenset(
    {"codeTests", "composite", "jsonExtraction", "mathAnswer", "modelJudge", "pythonGrader", "shaping", "sqlQuery"}
    | {"textMatch"}
)


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of the grader that its `data_source` calls for."""
    spec = mapping(row.get("reward_model"), "reward_model")
    extra = row.get("extra_info")
    name = text(extra, "index", default="") if isinstance(extra, Mapping) else ""
    source = text(row, "data_source")
    task = task_for(source, spec.get("ground_truth"), options)
    asked = row.get("prompt")
    return Converted(
        task=task if "taskId" in task else named(task, f"{source}/{name}" if name else ""),
        prompt=messages(asked) if asked is not None else (),
        solutions=_solutions(task),
    )


def task_for(source: str, ground_truth: Any, options: Options | None = None) -> dict[str, Any]:
    """Return the task of a ground truth. Raises `RowError`."""
    value = plain(ground_truth)
    if value is None or value in ("", [], {}):
        raise RowError("has no 'ground_truth'")
    if (task := _task_itself(value)) is not None:
        return task
    lowered = source.lower()
    if lowered in ("openai/gsm8k", "gsm8k"):
        return {"mathAnswer": {"expected": _one(value).replace(",", "")}}
    if lowered in _MATHEMATICS or lowered.startswith(_MATHEMATICAL):
        return {"mathAnswer": {"expected": _one(value)}}
    if lowered in _CODE:
        tests, _ = inputs_and_outputs(value, "ground_truth")
        return code_task(tests, options or Options())
    if lowered.startswith("searchr1_"):
        return _exact_match(value)
    raise RowError(f"no grader is known for the data source {source[:80]!r}; give the task itself as ground truth")


def _task_itself(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        if not value.lstrip().startswith("{"):
            return None
        value = parsed(value, "ground_truth")
    if isinstance(value, dict) and isinstance(value.get("task"), dict):
        value = value["task"]
    return value if isinstance(value, dict) and any(value.get(grader) for grader in _GRADERS) else None


def _one(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowError("'ground_truth' is no text or number")
    return str(value)


def _exact_match(value: Any) -> dict[str, Any]:
    target = value.get("target") if isinstance(value, dict) else value
    accepted = texts([target] if isinstance(target, str) else target, "ground_truth.target")
    if not accepted:
        raise RowError("'ground_truth.target' is empty")
    rules = {"ignoreCase": True, "ignorePunctuation": True, "ignoreArticles": True}
    subject = "TEXT_SUBJECT_FINAL_ANSWER"
    return {"textMatch": {"expected": accepted[0], "accepted": accepted[1:64], "subject": subject, **rules}}


def _solutions(task: Mapping[str, Any]) -> tuple[str, ...]:
    makers: dict[str, Callable[[Any], str]] = {
        "mathAnswer": lambda grader: f"\\boxed{{{grader['expected']}}}",
        "textMatch": lambda grader: f"<answer>{grader['expected']}</answer>",
    }
    return tuple(make(task[name]) for name, make in makers.items() if "expected" in (task.get(name) or {}))
