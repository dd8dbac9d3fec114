"""Conducts Python responses: calls, whole programs and test programs, each with the candidate in cells of its own.

Payload: ``source``; ``calls`` (function, args, kwargs as encoded values); ``inputs`` (standard input of each program
run); ``programs`` (code, framework), ``entry_point``, ``prefix``, and perhaps ``checker``, ``judge`` with
``conversations``, ``input_limits``, ``files`` and ``more_sources`` (the candidate's beside ``source``),
``trusted_files`` (the examiner's, the checker's and the judge's) and ``shared_files`` (code of test files that run in
the response's own process, reported after the programs). Report: ``loaded``, ``calls``, ``runs``, ``checked``,
``conversations``, ``programs``, each in the order of the payload; a returned value is the text of its
JSON, which only the host reads. What the tests expect is known to the examiner, if to anyone here, and never to a
candidate.
"""

import json
from base64 import b64encode
from contextlib import suppress
from functools import partial
from typing import Any

from .. import task_files
from ..cells import Cell, CellEnded, Cells, Ended, OutOfTime
from ..channel import FrameError
from . import checking, conversations, shared_files
from .endings import MAX_LIMITS_PASSED, OUT_OF_TIME, Room, facts_of, not_tried

_MAX_NAMES, _MAX_NAME = 64, 2_000


def conduct(cells: Cells, payload: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """Return what the response did with every test."""
    del limits
    session = _Session(cells, payload)
    report: dict[str, Any] = {"calls": [session.call(call) for call in payload["calls"]]}
    session.close()
    bounds = payload.get("input_limits") or [None] * len(payload["inputs"])
    report["runs"] = [session.program(*each) for each in zip(payload["inputs"], bounds, strict=True)]
    if "checker" in payload:
        trusted = payload.get("trusted_files", {})
        report["checked"] = checking.check(cells, payload["checker"], payload["inputs"], report["runs"], trusted)
    report["conversations"] = [session.converse(test, payload["judge"]) for test in payload.get("conversations", ())]
    if payload["programs"]:
        report["programs"] = session.examine(payload)
    if "shared_files" in payload:
        report["programs"] = [*report.get("programs", ()), *session.share(payload["shared_files"])]
    report["loaded"] = session.loaded
    return report


class _Session:
    """The response's code in one candidate after another."""

    def __init__(self, cells: Cells, payload: dict[str, Any]) -> None:
        self._cells = cells
        self._source: str = payload["source"]
        self._files: dict[str, str] = {**payload.get("files", {}), **_encoded(payload.get("more_sources", {}))}
        self._trusted_files: dict[str, str] = payload.get("trusted_files", {})
        self._candidate: Cell | None = None
        self._limits: dict[str, Any] = {}
        self._passed_limits: list[dict[str, Any]] = []
        self._room = Room()
        self.loaded: dict[str, Any] = {}

    def call(self, call: dict[str, Any]) -> dict[str, Any]:
        """Make one call; a candidate that ended is replaced first."""
        if given_up := self._given_up():
            return given_up
        request = {"do": "call", "on": call["function"], "args": call["args"], "kwargs": call["kwargs"]}
        try:
            candidate = self._ready_candidate(call.get("limits") or {})
            if candidate is None:
                return {"raised": self.loaded["raised"], "loading": True}
            candidate.restart_clock()
            return self._room.take(_reply(candidate.ask(request)), "value")
        except CellEnded as end:
            return self._note(end.ended)
        except OutOfTime:
            return dict(OUT_OF_TIME)

    def program(self, stdin: str, limits: dict[str, Any] | None) -> dict[str, Any]:
        """Run the whole program once."""
        if given_up := self._given_up():
            return given_up
        try:
            ended = self._program_cell(stdin, limits or {}).wait()
        except OutOfTime:
            return dict(OUT_OF_TIME)
        facts = self._note(ended)
        return self._room.take({**facts, "stdout": ended.stdout.decode("utf-8", "surrogateescape")}, "stdout")

    def _program_cell(self, stdin: str | None, limits: dict[str, Any]) -> Cell:
        """Start the whole program; without ``stdin`` it is told later what to read. Raises `OutOfTime`."""
        data = None if stdin is None else stdin.encode("utf-8", "surrogatepass")
        cell = self._cells.open("code_tests.program", stdin=data, limits=limits)
        with suppress(CellEnded):
            task_files.send(cell, self._files)
            cell.send({"source": self._source})
        return cell

    def converse(self, test: dict[str, Any], judge: dict[str, Any]) -> dict[str, Any]:
        """Let the task's judge talk to the whole program."""
        if self._given_up():
            return conversations.untried()
        start = partial(self._program_cell, None, test.get("limits") or {})
        facts = conversations.conduct(self._cells, start, test, {**judge, "files": self._trusted_files})
        if conversations.passed_limit(facts):
            self._passed_limits.append(facts)
        return facts

    def examine(self, payload: dict[str, Any]) -> list[dict[str, Any]]:
        """Let an examiner run the test programs, and carry its words to candidates and back."""
        keys = ("source", "programs", "entry_point", "prefix")
        role = "file_examiner" if any(program["framework"] for program in payload["programs"]) else "examiner"
        examiner = self._cells.open(f"code_tests.{role}", trusted=True, limits={"cpu_seconds": self._cells.time_left()})
        try:
            task_files.send(examiner, self._trusted_files)
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

    def share(self, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Run test files in one process with the response."""
        return shared_files.conduct(self._cells, self._source, self._files, files)

    def _tell(self, examiner: Cell, answer: dict[str, Any]) -> Any:
        """Hand an answer to the examiner and return its next message."""
        try:
            return examiner.ask(answer)
        except FrameError:
            self.close()
            return examiner.ask({"ended": "it answered out of form"})

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
            self._limits = message.get("limits") or {}
        try:
            if self._candidate is None:
                if "load" not in message:
                    return {"ended": "the solution's process had ended"}
                self._candidate = self._open_candidate()
            self._candidate.restart_clock()
            return {"candidate": self._candidate.ask(message)}
        except CellEnded as end:
            return {"ended": self._note(end.ended)["detail"]}
        except OutOfTime:
            return {"ended": "the time for all tests was used up"}

    def _open_candidate(self) -> Cell:
        candidate = self._cells.open("code_tests.candidate", limits=self._limits)
        task_files.send(candidate, self._files)
        return candidate

    def _ready_candidate(self, limits: dict[str, Any]) -> Cell | None:
        """Return a candidate with the code loaded; None when loading raised."""
        if limits != self._limits:
            self.close()
            self._limits = limits
        if self._candidate is None:
            if "raised" in self.loaded:
                return None
            self._candidate = self._open_candidate()
            reply = _reply(self._candidate.ask({"load": self._source}))
            self.loaded = {"raised": reply["raised"]} if "raised" in reply else {"value": True}
            if "raised" in reply:
                return None
        return self._candidate

    def _note(self, ended: Ended) -> dict[str, Any]:
        self._candidate = None
        facts = facts_of(ended)
        if ended.ending.endswith("_limit"):
            self._passed_limits.append(facts)
        return facts

    def _given_up(self) -> dict[str, Any] | None:
        if len(self._passed_limits) < MAX_LIMITS_PASSED:
            return None
        return not_tried(self._passed_limits[-1])


def _encoded(sources: dict[str, str]) -> dict[str, str]:
    return {path: b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii") for path, text in sources.items()}


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
