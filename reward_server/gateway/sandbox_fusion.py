"""SandboxFusion's `/run_code`, `/submit` and `/v1/ping`: its clients, verl's among them, change only the URL.

`custom_extract_logic`, which that server executes, is refused here. No data sets are kept, so `/submit` needs
`provided_data`; its tests are graded by `code_tests`, as everywhere.
"""

import base64
import binascii
import json
import posixpath
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from reward.v1 import sample_pb2
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from reward_server.gateway.desk import Desk, read, sendable
from reward_server.graders.answers import extract_code
from reward_server.graders.code_sources import FENCES
from reward_server.statuses import RequestError
from reward_server.tasks.code_tests import Language
from reward_server.verdict import Check, Verdict
from sandboxes.base import MIB, Job, Limits

_LANGUAGES = {"nodejs": Language.JAVASCRIPT, "R": Language.R} | {
    language.value: language for language in Language if language not in (Language.JAVASCRIPT, Language.R)
}
_TIMEOUT_SECONDS = 10.0
_CLIENTS_PATIENCE_SECONDS = 9.0
"""verl's client waits 10 s longer than both timeouts together, and takes a later answer for a failed test."""
_WALL_CLOCK_SHARE = 1.5
"""Wall-clock time for a run, by its CPU time: a busy machine shall not decide."""
_MAX_CODE_BYTES = MIB
_MAX_PATHS, _MAX_FILES_BYTES, _MAX_STDIN_BYTES = 256, 3 * MIB, 8 * MIB
_NOT_RUN = {"seconds": 0.0, "stdout": "", "detail": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCode:
    """The body of `/run_code`."""

    code: str
    language: str
    stdin: str | None = None
    compile_timeout: float = _TIMEOUT_SECONDS
    run_timeout: float = _TIMEOUT_SECONDS
    memory_limit_MB: int = -1  # noqa: N815 - the protocol's name
    files: dict[str, str | None] = field(default_factory=dict)
    fetch_files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitConfig:
    """How a submission is tested."""

    dataset_type: str | None = None
    language: str | None = None
    compile_timeout: float | None = None
    run_timeout: float | None = None
    custom_extract_logic: str | None = None
    provided_data: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """The body of `/submit`."""

    completion: str
    dataset: str = ""
    id: int | str | None = None
    config: SubmitConfig = field(default_factory=SubmitConfig)


@dataclass(frozen=True, slots=True)
class SandboxFusion:
    """The handlers."""

    desk: Desk

    async def ping(self, _: Request) -> Response:
        """Say that the server is there."""
        return PlainTextResponse("pong")

    async def run_code(self, request: Request) -> Response:
        """Run a program and say what it did."""
        asked = await read(request, RunCode)
        language = _language(asked.language, "language")
        limits = self._limits(asked)
        if _bytes(asked.stdin or "") > _MAX_STDIN_BYTES:
            raise RequestError(f"stdin: more than {_MAX_STDIN_BYTES} bytes")
        if _bytes(asked.code) > _MAX_CODE_BYTES:  # a model wrote it, and no box shall pay for it
            told = f"more than {_MAX_CODE_BYTES} bytes of code"
            run = {**_NOT_RUN, "ended": "exited", "exit_status": 1, "stderr": told}
            return JSONResponse(_run_code_answer({"build": None, "run": run, "files": {}}, asked.language))
        payload: dict[str, Any] = {
            "language": language.value,
            "source": asked.code,
            "stdin": asked.stdin or "",
            "files": _files(asked.files),
            "fetch": [_relative(path, f"fetch_files[{i}]") for i, path in enumerate(asked.fetch_files)],
            "build_seconds": asked.compile_timeout,
        }
        patience = asked.compile_timeout + asked.run_timeout + _CLIENTS_PATIENCE_SECONDS
        job = Job(program="run_code", payload=payload, limits=limits)
        execution = await self.desk.run(request, job, patience)
        return JSONResponse(_run_code_answer(execution.report, asked.language))

    async def submit(self, request: Request) -> Response:
        """Grade a completion by the tests that come with it."""
        asked = await read(request, Submit)
        if asked.config.custom_extract_logic:
            raise RequestError("config.custom_extract_logic: is never executed here; send what is to be run")
        data = asked.config.provided_data
        if data is None:
            raise RequestError("config.provided_data: is missing, and this server keeps no data sets")
        language = _language(asked.config.language or "python", "config.language")
        task = _submitted_task(asked.config.dataset_type or asked.dataset, data, language)
        self._set_times(task, asked.config)
        verdict = await self.desk.verdict(request, task, asked.completion)
        extracted = extract_code(asked.completion, FENCES.get(language, (language.value,)), "").text or ""
        accepted = verdict.score == 1.0
        return JSONResponse(
            {
                "id": asked.id if asked.id is not None else data.get("id", 0),
                "accepted": accepted,
                "extracted_code": sendable(extracted),
                "tests": [_tested(check) for check in verdict.checks if check.weight > 0] or [_tested_whole(verdict)],
                "extra": {"score": verdict.score, "ruling": verdict.ruling.value, "summary": verdict.summary},
            }
        )

    def _limits(self, asked: RunCode) -> Limits:
        default, most = self.desk.config.default_limits, self.desk.config.max_limits
        memory = default.memory_bytes if asked.memory_limit_MB <= 0 else asked.memory_limit_MB * MIB
        for path, value, largest in (
            ("compile_timeout", asked.compile_timeout, most.cpu_seconds),
            ("run_timeout", asked.run_timeout, most.cpu_seconds),
            ("memory_limit_MB", memory / MIB, most.memory_bytes / MIB),
        ):
            if not 0 < value <= largest:
                raise RequestError(f"{path}: {value:g} is not above 0 and at most {largest:g}")
        return Limits(
            cpu_seconds=asked.run_timeout,
            wall_seconds=asked.run_timeout * _WALL_CLOCK_SHARE,
            total_seconds=(asked.compile_timeout + asked.run_timeout) * _WALL_CLOCK_SHARE,
            memory_bytes=memory,
            output_bytes=default.output_bytes,
            processes=default.processes,
            file_bytes=default.file_bytes,
        )

    def _set_times(self, task: sample_pb2.Task, config: SubmitConfig) -> None:
        if config.run_timeout is None:
            return
        largest = self.desk.config.max_limits.cpu_seconds
        if not 0 < config.run_timeout <= largest:
            raise RequestError(f"config.run_timeout: {config.run_timeout:g} is not above 0 and at most {largest:g}")
        task.limits.cpu_time.FromNanoseconds(int(config.run_timeout * 1e9))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _language(name: str, path: str) -> Language:
    if name not in _LANGUAGES:
        raise RequestError(f"{path}: {name[:40]!r} is not run here, but {', '.join(sorted(_LANGUAGES))}")
    return _LANGUAGES[name]


def _files(files: dict[str, str | None]) -> dict[str, str]:
    if len(files) > _MAX_PATHS:
        raise RequestError(f"files: {len(files)} files, at most {_MAX_PATHS}")
    checked, size = {}, 0
    for path, content in files.items():
        try:
            size += len(base64.b64decode(content or "", validate=True))
        except (binascii.Error, ValueError) as error:
            raise RequestError(f"files[{path[:80]!r}]: no base64: {error}") from error
        checked[_relative(path, f"files[{path[:80]!r}]")] = content or ""
    if size > _MAX_FILES_BYTES:
        raise RequestError(f"files: {size} bytes together, at most {_MAX_FILES_BYTES}")
    return checked


def _relative(path: str, where: str) -> str:
    plain = posixpath.normpath(path) if path else ""
    if plain in {"", "."} or plain.startswith(("/", "../")) or plain == ".." or "\0" in plain:
        raise RequestError(f"{where}: a path below the program's directory is expected")
    return plain


def _run_code_answer(report: Any, language: str) -> dict[str, Any]:
    if not report:
        late = {**_NOT_RUN, "ended": "wall_limit", "exit_status": -9, "stderr": ""}
        report = {"build": None, "run": late, "files": {}}
    if "missing" in report:
        raise RequestError(f"language: this server's sandbox has no tools for {language}: {report['missing']}")
    build, run = _command(report["build"]), _command(report["run"])
    steps = [step for step in (build, run) if step is not None]
    succeeded = bool(steps) and all(step["status"] == "Finished" and step["return_code"] == 0 for step in steps)
    return {
        "status": "Success" if succeeded else "Failed",
        "message": "",
        "executor_pod_name": None,
        "compile_result": build,
        "run_result": run,
        "files": report["files"],
    }


def _command(facts: Any) -> dict[str, Any] | None:
    """Return a step as SandboxFusion says it. A limit but that on time is a signal: "Error" would mean ours."""
    if facts is None:
        return None
    late = facts["ended"] in {"cpu_limit", "wall_limit"}
    note = f"\n{facts['detail']}" if facts["detail"] and not late else ""
    return {
        "status": "TimeLimitExceeded" if late else "Finished",
        "execution_time": facts["seconds"],
        "return_code": None if late else facts["exit_status"] or (-9 if note else 0),
        "stdout": facts["stdout"],
        "stderr": facts["stderr"] + note,
    }


def _submitted_task(kind: str, data: dict[str, Any], language: Language) -> sample_pb2.Task:
    tests = _tests(data)
    match kind:
        case "CommonOJDataset":
            said: dict[str, Any] = {"stdioTests": [_stdio(test, f"[{i}]") for i, test in enumerate(tests)]}
        case "MBPPDataset":
            labels = data.get("labels")
            setup = labels.get("test_setup_code") if isinstance(labels, dict) else ""
            said = {"assertTests": [{"code": test} for test in tests], "prefix": setup or ""}
        case _:
            known = "CommonOJDataset, MBPPDataset"
            raise RequestError(f"config.dataset_type: {kind[:80]!r} is not graded here, but {known}")
    said["language"] = f"LANGUAGE_{language.name}"
    try:
        return json_format.ParseDict({"codeTests": said}, sample_pb2.Task())
    except (json_format.ParseError, TypeError, ValueError) as error:
        raise RequestError(f"config.provided_data.test: {error}") from error


def _tests(data: dict[str, Any]) -> list[Any]:
    tests = data.get("test")
    if isinstance(tests, str):
        try:
            tests = json.loads(tests)
        except (ValueError, RecursionError) as error:
            raise RequestError(f"config.provided_data.test: no JSON: {error}") from error
    if not isinstance(tests, list) or not tests:
        raise RequestError("config.provided_data.test: a list of tests is expected, or its JSON")
    return tests


def _stdio(test: Any, place: str) -> dict[str, str]:
    try:
        return {"stdin": test["input"].get("stdin", ""), "expectedStdout": test["output"]["stdout"]}
    except (KeyError, TypeError, AttributeError) as error:
        path = f"config.provided_data.test{place}"
        raise RequestError(f"{path}: input.stdin and output.stdout are expected") from error


def _tested(check: Check) -> dict[str, Any]:
    return _test(check.name, check.detail, passed=check.score == 1.0)


def _tested_whole(verdict: Verdict) -> dict[str, Any]:
    return _test(verdict.ruling.value, verdict.summary, passed=verdict.score == 1.0)


def _test(name: str, detail: str, *, passed: bool) -> dict[str, Any]:
    info: dict[str, Any] = {"status": "Success" if passed else "Failed", "message": detail, "files": {}}
    return {"passed": passed, "exec_info": info, "test_info": {"name": name}}
