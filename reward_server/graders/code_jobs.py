"""The job that runs a response's code: what goes to whom. Expected values stay here, or go to the examiner alone."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reward_server.graders.code_harness import harnessed
from reward_server.graders.code_sources import whole_source
from reward_server.tasks.code_tests import DEFAULT_TURNS, CallTest, CodeTestsTask, InteractiveTest, Language, TestLimits
from sandboxes.base import AssuranceLevel, Job, Limits
from sandboxes.values import encode, parse_literal

COMPILED = (
    *(Language.C, Language.CPP, Language.CSHARP, Language.GO, Language.JAVA, Language.RUST, Language.TYPESCRIPT),
)
BUILD_SECONDS = 120.0
"""Wall-clock time that compilation may take beside the time of all tests; its CPU time is bounded by less."""


def job_for(task: CodeTestsTask, code: str, more_sources: Mapping[str, str], limits: Limits) -> Job:
    """Return the job that runs ``code``, with the response's other files, in every test of ``task``."""
    payload: dict[str, Any] = {
        "inputs": [test.stdin for test in task.stdio_tests],
        "input_limits": [_bounds(test.limits) for test in task.stdio_tests],
        "more_sources": dict(more_sources),
        "files": {
            file.path: _base64(file.content) for file in task.files if not file.secret and file.path not in more_sources
        },
    }
    if task.checker:
        payload["checker"] = {"source": task.checker, "expected": [t.expected_stdout for t in task.stdio_tests]}
    if task.interactive_tests:
        payload["judge"] = {"source": task.interactive_judge}
        payload["conversations"] = [_conversation(test) for test in task.interactive_tests]
    if task.checker or task.interactive_judge or task.assert_tests or task.test_files:
        payload["trusted_files"] = {file.path: _base64(file.content) for file in task.files}
    if task.language is Language.PYTHON:
        level = AssuranceLevel.LOW if task.shared_process else None
        return Job(
            program="python_code", payload={**payload, **_python(task, code)}, limits=limits, assurance_level=level
        )
    if task.language in COMPILED:  # a busy machine compiles slowly, and that shall cost no test its time
        payload["run_seconds"] = limits.total_seconds
        limits = replace(limits, total_seconds=limits.total_seconds + BUILD_SECONDS)
    return Job(program="program_stdio", payload={**payload, **_other(task, code, more_sources)}, limits=limits)


def _python(task: CodeTestsTask, code: str) -> dict[str, Any]:
    programs = [{"code": test.code, "framework": "", "limits": _bounds(test.limits)} for test in task.assert_tests]
    files = [{"code": test.code, "framework": "pytest"} for test in task.test_files]
    return {
        "source": whole_source(task, code),
        "calls": [_call(call, task.entry_point) for call in task.call_tests],
        "programs": programs if task.shared_process else programs + files,
        **({"shared_files": files} if task.shared_process else {}),
        "entry_point": task.entry_point,
        "prefix": task.prefix,
    }


def _other(task: CodeTestsTask, code: str, more_sources: Mapping[str, str]) -> dict[str, Any]:
    source = f"{task.prefix}\n{code}" if task.prefix else code
    payload: dict[str, Any] = {"language": task.language.value, "source": source}
    if task.call_tests:
        functions = sorted({call.function or task.entry_point for call in task.call_tests})
        payload["harnessed"] = {**harnessed(task.language, source, functions), **more_sources}
        payload["calls"] = [_portable_call(call, task.entry_point) for call in task.call_tests]
    return payload


def _call(test: CallTest, entry_point: str) -> dict[str, Any]:
    return {
        "function": test.function or entry_point,
        "args": [encode(parse_literal(text)) for text in test.args],
        "kwargs": {name: encode(parse_literal(text)) for name, text in test.kwargs.items()},
        "limits": _bounds(test.limits),
    }


def _portable_call(test: CallTest, entry_point: str) -> dict[str, Any]:
    """Return a call whose arguments are JSON as it stands: harnesses read it, and integers stay integers."""
    return {
        "function": test.function or entry_point,
        "args": json.dumps([parse_literal(text) for text in test.args], ensure_ascii=True, separators=(",", ":")),
        "limits": _bounds(test.limits),
    }


def _conversation(test: InteractiveTest) -> dict[str, Any]:
    return {"data": test.data, "max_turns": test.max_turns or DEFAULT_TURNS, "limits": _bounds(test.limits)}


def _bounds(limits: TestLimits | None) -> dict[str, Any]:
    return limits.bounds if limits else {}


def _base64(content: bytes) -> str:
    return b64encode(content).decode("ascii")
