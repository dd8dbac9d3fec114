"""The first process of a box: takes jobs from the host, conducts them in cells, reports facts.

It ends when the host hangs up, and with it everything in the box. It never runs or parses what is graded.

From the host: ``{"configure": {...}}`` once, then ``{"job": id, "program": ..., "payload": ..., "limits": ...}`` one
at a time, and ``{"cancel": id}``. To the host: ``{"ready": {...}}``, and per job ``{"job": id, "executions": ...}`` or
``{"job": id, "cancelled": true}``, each with ``"retire": reason`` when the box should be replaced.

A job has one execution. With ``"payloads"`` instead of one payload it stands for several that share a run; it has
executions for the first of them, as far as the sharing went well, and the host runs the rest in other ways.
"""

import importlib
import os
import sys
import traceback
from dataclasses import replace
from typing import Any, NoReturn

from . import function_call, probe
from .cells import Cancelled, Cells, Ended, OutOfTime
from .channel import MAX_BOX_FRAME_BYTES, FrameError, FrameReader, encode
from .cleaning import TroubleError

CONDUCTORS = {
    "python_code": "code_tests.python_code",
    "python_grader": "python_grader",
    "program_stdio": "code_tests.program_stdio",
    "run_code": "code_tests.run_code",
}
"""Programs that open cells as they need, and the modules whose ``conduct(cells, payload, limits)`` they are."""
FUNCTIONS = {"sql_query", "math_answer", "json_extraction"}
"""Programs that are one call of ``run(payload)`` in the module of that name."""

_PRESSED = {"cpu_limit", "wall_limit", "memory_limit"}
"""Endings that a busier or idler machine might not have seen."""


class HostLink:
    """The host's end: frames on standard input and output."""

    def __init__(self) -> None:
        self._input, self._output = os.dup(0), os.dup(1)
        quiet = os.open("/dev/null", os.O_RDWR)
        os.dup2(quiet, 0)
        os.dup2(quiet, 1)
        self._reader = FrameReader(MAX_BOX_FRAME_BYTES)
        self._jobs: list[dict[str, Any]] = []
        self._current: object = None
        self.cancelled = False

    def fileno(self) -> int:
        """What to watch."""
        return self._input

    def read(self) -> None:
        """Take what the host has sent; end the box when it has hung up."""
        data = os.read(self._input, 1 << 18)
        if not data:
            os._exit(0)
        self._reader.feed(data)
        while self._reader:
            message = self._reader.take()
            if "cancel" not in message:
                self._jobs.append(message)
            elif message["cancel"] == self._current:
                self.cancelled = True

    def next(self) -> dict[str, Any]:
        """Wait for the next message."""
        while not self._jobs:
            self.read()
        message = self._jobs.pop(0)
        self._current, self.cancelled = message.get("job"), False
        return message

    def send(self, message: dict[str, Any]) -> None:
        """Send ``message``. Raises `FrameError`."""
        view = memoryview(encode(message, MAX_BOX_FRAME_BYTES))
        while view:
            view = view[os.write(self._output, view) :]


def main() -> NoReturn:
    """Serve until the host hangs up or the box is not what it should be."""
    host = HostLink()
    configuration = host.next()["configure"]
    try:
        cells = Cells(
            host,
            library=configuration["library"],
            first_uid=configuration["first_uid"],
            read=configuration["read"],
            without=configuration["without"],
        )
        layers = probe.conduct(cells)
        for role in configuration["warm"]:
            cells.warm(role)
        host.send({"ready": {"layers": layers, "python": sys.version.split()[0]}})
        while True:
            _serve(host, cells, host.next())
            if cells.troubles:
                sys.exit(cells.troubles[0])
    except TroubleError as error:
        sys.exit(f"trouble: {error}")


def _serve(host: HostLink, cells: Cells, job: dict[str, Any]) -> None:
    cells.begin(job["limits"])
    answer: dict[str, Any] = {"job": job["job"]}
    try:
        answer["executions"] = _shared(cells, job) if "payloads" in job else [_alone(cells, job)]
    except Cancelled:
        cells.close()
        answer["cancelled"] = True
    if cells.troubles or cells.used_up:
        answer["retire"] = cells.troubles[0] if cells.troubles else "its uids are used up"
    try:
        host.send(answer)
    except FrameError:  # conductors bound what responses say; what slips through shall cost no box and mask no sample
        unsaid = {"report": {}, "ending": "output_limit"}
        answer["executions"] = [] if "payloads" in job else [each | unsaid for each in answer["executions"]]
        host.send(answer)


def _alone(cells: Cells, job: dict[str, Any]) -> dict[str, Any]:
    """Return the execution of a job that has its runs to itself."""
    report: dict[str, Any] = {}
    out_of_time = False
    try:
        report = _conduct(cells, job)
    except OutOfTime:
        out_of_time = True
    cells.close()
    spent = out_of_time or cells.time_left() <= 0
    return _execution(cells.all_ended, report, out_of_time=out_of_time, spent=spent)


def _shared(cells: Cells, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the executions of the first payloads, as far as one run served them without any trouble."""
    if job["program"] not in FUNCTIONS:
        return []
    reports = function_call.conduct_in_turn(cells, job["program"], job["payloads"])
    cells.close()
    (run,) = cells.all_ended
    count = max(1, len(reports))
    share = replace(
        run,
        ending="exited",
        stderr="",
        flags=[],
        cpu_seconds=run.cpu_seconds / count,
        wall_seconds=run.wall_seconds / count,
        unexplained=False,
    )
    return [_execution([share], report, out_of_time=False, spent=False) for report in reports]


def _conduct(cells: Cells, job: dict[str, Any]) -> dict[str, Any]:
    """Return the program's report. Raises `OutOfTime` when the job's total time was spent before it had one."""
    program, payload = job["program"], job["payload"]
    try:
        if program in FUNCTIONS:
            return function_call.conduct(cells, program, payload)
        if program in CONDUCTORS:
            conductor = importlib.import_module(f".{CONDUCTORS[program]}", __package__)
            report: dict[str, Any] = conductor.conduct(cells, payload, job["limits"])
            return report
    except (OutOfTime, Cancelled, TroubleError):
        raise
    except Exception as error:
        traceback.print_exc()
        raise TroubleError(f"{program} is defective: {error!r}") from error
    raise TroubleError(f"no program is called {program!r}")


def _execution(all_ended: list[Ended], report: dict[str, Any], *, out_of_time: bool, spent: bool) -> dict[str, Any]:
    unexplained = [ended for ended in all_ended if ended.unexplained]
    last = all_ended[-1] if all_ended else None
    flags = {name: detail for ended in all_ended for name, detail in ended.flags}
    # A cell that was ended after it had reported counts as exited: it was not asked to stay.
    reported = bool(report) and last is not None and last.ending == "killed"
    ending = "wall_limit" if out_of_time else "exited" if last is None or reported else last.ending
    return {
        "ending": ending,
        "report": report,
        "exit_status": 0 if last is None or reported else last.exit_status,
        "stderr": last.stderr if last else "",
        "flags": sorted(flags.items()),
        "unexplained": bool(unexplained),
        "disturbed": any(ended.trusted for ended in unexplained),
        "pressed": spent or any(ended.ending in _PRESSED for ended in all_ended),
        "usage": {
            "cpu_seconds": sum(ended.cpu_seconds for ended in all_ended),
            "wall_seconds": sum(ended.wall_seconds for ended in all_ended),
            "peak_memory_bytes": max((ended.peak_memory_bytes for ended in all_ended), default=0),
            "runs": len(all_ended),
        },
    }
