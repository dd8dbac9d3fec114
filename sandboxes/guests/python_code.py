"""Conducts Python responses: calls, whole programs and test programs, each with the candidate in cells of its own.

Payload: ``source``; ``calls`` (function, args, kwargs as encoded values); ``inputs`` (standard input of each program
run); ``programs`` (code, framework), ``entry_point``, ``prefix``, and perhaps ``checker`` and ``shared_files`` (code
of test files that run in the response's own process, reported after the programs). Report: ``loaded``,
``calls``, ``runs``, ``checked``, ``programs``, each in the order of the payload; a returned value is the text of its
JSON, which only the host reads. What the tests expect is known to the examiner, if to anyone here, and never to a
candidate.
"""

import json
from contextlib import suppress
from typing import Any

from . import shared_files
from .cells import Cell, CellEnded, Cells, Ended, OutOfTime
from .channel import FrameError

MAX_LIMITS_PASSED = 3
"""After so many runs past a limit the rest is not tried: a response that hangs would cost the time of all tests."""
_MAX_REPORT_CHARACTERS = 40 << 20
"""For all values and outputs together, so that the report fits into its frame whatever the response says."""


def conduct(cells: Cells, payload: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """Return what the response did with every test."""
    del limits
    session = _Session(cells, payload["source"])
    report: dict[str, Any] = {"calls": [session.call(call) for call in payload["calls"]]}
    session.close()
    report["runs"] = session.runs = [session.program(stdin) for stdin in payload["inputs"]]
    if "checker" in payload:
        report["checked"] = session.check(payload)
    if payload["programs"]:
        report["programs"] = session.examine(payload)
    if "shared_files" in payload:
        shared = shared_files.conduct(cells, payload["source"], payload["shared_files"])
        report["programs"] = [*report.get("programs", ()), *shared]
    report["loaded"] = session.loaded
    return report


_MAX_NAMES = 64
_MAX_NAME = 2_000


class _Session:
    """The response's code in one candidate after another."""

    def __init__(self, cells: Cells, source: str) -> None:
        self._cells = cells
        self._source = source
        self._candidate: Cell | None = None
        self._passed_limits: list[dict[str, Any]] = []
        self._room = _MAX_REPORT_CHARACTERS
        self.loaded: dict[str, Any] = {}
        self.runs: list[dict[str, Any]] = []

    def call(self, call: dict[str, Any]) -> dict[str, Any]:
        """Make one call; a candidate that ended is replaced first."""
        if given_up := self._given_up():
            return given_up
        request = {"do": "call", "on": call["function"], "args": call["args"], "kwargs": call["kwargs"]}
        try:
            candidate = self._ready_candidate()
            if candidate is None:
                return {"raised": self.loaded["raised"], "loading": True}
            candidate.restart_clock()
            return self._bounded(_reply(candidate.ask(request)), "value")
        except CellEnded as end:
            return self._note(end.ended)
        except OutOfTime:
            return {"ended": "wall_limit", "detail": "the time for all tests was used up"}

    def program(self, stdin: str) -> dict[str, Any]:
        """Run the whole program once."""
        if given_up := self._given_up():
            return given_up
        try:
            cell = self._cells.open("program", stdin=stdin.encode("utf-8", "surrogatepass"))
        except OutOfTime:
            return {"ended": "wall_limit", "detail": "the time for all tests was used up"}
        with suppress(CellEnded):
            cell.send({"source": self._source})
        ended = cell.wait()
        facts = self._note(ended)
        return self._bounded({**facts, "stdout": ended.stdout.decode("utf-8", "surrogateescape")}, "stdout")

    def check(self, payload: dict[str, Any]) -> list[dict[str, Any]]:
        """Let the task's own checker judge what the program runs printed; runs that failed count as empty output."""
        source, outputs = payload["checker"]["source"], [run.get("stdout", "") for run in self.runs]
        cases = [list(case) for case in zip(payload["inputs"], outputs, payload["checker"]["expected"], strict=True)]
        try:
            return self._ask_checker(source, cases)
        except (CellEnded, FrameError, OutOfTime):  # one of the outputs may be to blame, and only that one shall pay
            return [self._check_alone(source, case) for case in cases]

    def _ask_checker(self, source: str, cases: list[list[str]]) -> list[dict[str, Any]]:
        checker = self._cells.open("checker", trusted=True)
        try:
            checked: list[dict[str, Any]] = checker.ask({"source": source, "cases": cases})["checked"]
        finally:
            checker.end()
        return checked

    def _check_alone(self, source: str, case: list[str]) -> dict[str, Any]:
        """Check one output in a cell of its own; only a checker that fails on what is expected too is broken."""
        try:
            return self._ask_checker(source, [case])[0]
        except OutOfTime:
            return {"score": 0.0, "detail": "the time for all tests was used up"}
        except FrameError:
            return {"score": 0.0, "detail": "the output is too long for the checker"}
        except CellEnded as end:
            said = f"the checker, given this output: {sentence(end.ended)} {end.ended.stderr[-500:]}"
            return {"error": said} if self._is_broken(source, case, end.ended) else {"score": 0.0, "detail": said}

    def _is_broken(self, source: str, case: list[str], ended: Ended) -> bool:
        stdin, _, expected = case
        if not expected:
            return not ended.ending.endswith("_limit")
        try:
            (checked,) = self._ask_checker(source, [[stdin, expected, expected]])
        except CellEnded:
            return True
        except (OutOfTime, FrameError):
            return False
        return "error" in checked

    def examine(self, payload: dict[str, Any]) -> list[dict[str, Any]]:
        """Let an examiner run the test programs, and carry its words to candidates and back."""
        keys = ("source", "programs", "entry_point", "prefix")
        role = "file_examiner" if any(program["framework"] for program in payload["programs"]) else "examiner"
        examiner = self._cells.open(role, trusted=True, limits={"cpu_seconds": self._cells.time_left()})
        try:
            message = examiner.ask({key: payload[key] for key in keys})
            while "report" not in message:
                message = self._tell(examiner, self._carry(message["candidate"]))
        except CellEnded as end:
            detail = f"{end.ended.ending}: {end.ended.stderr[-500:]}"
            return [{"error": detail, "examiner_ended": end.ended.ending, "asserts": [], "tests": []}] * len(
                payload["programs"]
            )
        finally:
            self.close()
        examiner.end()
        programs: list[dict[str, Any]] = message["report"]["programs"]
        for program in programs:
            if program.get("candidate_ended"):
                program["endings"] = [facts["ended"] for facts in self._passed_limits] or ["exited"]
        return programs

    def _tell(self, examiner: Cell, answer: dict[str, Any]) -> Any:
        """Hand an answer to the examiner and return its next message."""
        try:
            return examiner.ask(answer)
        except FrameError:
            self.close()
            return examiner.ask({"ended": "it answered out of form"})

    def _bounded(self, facts: dict[str, Any], key: str) -> dict[str, Any]:
        """Return ``facts``, or what stands for them when the report has no room for the text under ``key``."""
        self._room -= len(json.dumps(facts.get(key, "")))
        if self._room >= 0:
            return facts
        self._room = 0
        return {"ended": "output_limit", "exit_status": 0, "detail": "its answers are too long, all tests together"}

    def close(self) -> None:
        """End the candidate."""
        if self._candidate is not None:
            self._candidate.end()
            self._candidate = None

    def _carry(self, message: dict[str, Any]) -> dict[str, Any]:
        """Ask the candidate what the examiner asks; say how it ended when it does not live to answer."""
        if given_up := self._given_up():
            return {"ended": given_up["detail"]}
        if "load" in message:
            self.close()
        try:
            if self._candidate is None:
                if "load" not in message:
                    return {"ended": "the solution's process had ended"}
                self._candidate = self._cells.open("candidate")
            self._candidate.restart_clock()
            return {"candidate": self._candidate.ask(message)}
        except CellEnded as end:
            return {"ended": self._note(end.ended)["detail"]}
        except OutOfTime:
            return {"ended": "the time for all tests was used up"}

    def _ready_candidate(self) -> Cell | None:
        """Return a candidate with the code loaded; None when loading raised."""
        if self._candidate is None:
            if "raised" in self.loaded:
                return None
            self._candidate = self._cells.open("candidate")
            reply = _reply(self._candidate.ask({"load": self._source}))
            self.loaded = {"raised": reply["raised"]} if "raised" in reply else {"value": True}
            if "raised" in reply:
                return None
        return self._candidate

    def _note(self, ended: Ended) -> dict[str, Any]:
        self._candidate = None
        facts = {
            "ended": ended.ending,
            "exit_status": ended.exit_status,
            "detail": sentence(ended),
            "stderr": ended.stderr[-1000:],
        }
        if ended.ending.endswith("_limit"):
            self._passed_limits.append(facts)
        return facts

    def _given_up(self) -> dict[str, Any] | None:
        if len(self._passed_limits) < MAX_LIMITS_PASSED:
            return None
        last = self._passed_limits[-1]
        return {**last, "detail": f"not tried: {MAX_LIMITS_PASSED} runs before it passed a limit"}


def _reply(message: Any) -> dict[str, Any]:
    """Return a candidate's answer in a form that is safe to pass on, whatever it sent."""
    match message:
        case {"value": value}:
            with suppress(ValueError, RecursionError):
                return {"value": json.dumps(value, separators=(",", ":"))}
        case {"raised": {"mro": [*names], "message": str(text), **rest}}:
            line = rest.get("line")
            return {
                "raised": {
                    "mro": [name[:_MAX_NAME] for name in names[:_MAX_NAMES] if isinstance(name, str)],
                    "message": text[:_MAX_NAME],
                    "line": line if type(line) is int and 0 < line < 1 << 31 else None,
                }
            }
    return {"raised": {"mro": ["ValueError"], "message": "the solution's process answered out of form"}}


def sentence(ended: Ended) -> str:
    """Say for people how a run ended."""
    match ended.ending:
        case "cpu_limit":
            return f"it used more than its CPU time ({ended.cpu_seconds:.1f} s)"
        case "wall_limit":
            return f"it took longer than its time ({ended.wall_seconds:.1f} s)"
        case "memory_limit":
            return f"it used more than its memory ({ended.peak_memory_bytes >> 20} MiB)"
        case "output_limit":
            return "it wrote more than its output limit"
        case "killed":
            return f"it was killed by signal {-ended.exit_status}"
    return f"it exited with status {ended.exit_status} without an answer"
