"""Conducts programs of any language but Python: compiled once, then run, called or talked to.

Payload: ``language`` (a key of `languages.TOOLCHAINS`), ``source``, ``inputs`` (standard input of each run). Perhaps
also ``more_sources`` (the response's other files: text by path), ``files`` (the task's, base64 by path),
``trusted_files`` (for its checker and judge), ``input_limits``, ``checker``, ``judge`` with ``conversations``,
``harnessed`` (sources with a harness) with ``calls``, and ``run_seconds``, the job's total time from when all is built.

Report: ``runs``, ``checked``, ``conversations``, ``calls`` in the payload's order, and one of ``built`` (true),
``build_error`` (what the compiler said), ``missing`` (a tool that this box does not have); with either of the latter
there is nothing else.
"""

from functools import partial
from itertools import zip_longest
from typing import Any

from ..cells import CellEnded, Cells, Ended, OutOfTime
from . import checking, conversations
from .built_programs import BuiltProgram, NotBuilt
from .endings import MAX_LIMITS_PASSED, OUT_OF_TIME, Room, facts_of, not_tried
from .languages import CALLED, TOOLCHAINS
from .program_calls import Calls


def conduct(cells: Cells, payload: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """Return what the program did with every test."""
    del limits
    try:
        return _Session(cells, payload).report()
    except NotBuilt as no:
        return {"runs": [], **no.facts}


class _Session:
    """One response's program."""

    def __init__(self, cells: Cells, payload: dict[str, Any]) -> None:
        self._cells = cells
        self._payload = payload
        self._files: dict[str, str] = payload.get("files", {})
        self._trusted_files: dict[str, str] = payload.get("trusted_files", {})
        self._passed_limits = 0
        self._room = Room()

    def report(self) -> dict[str, Any]:
        """Run everything. Raises `NotBuilt`."""
        payload = self._payload
        called = self._called_program() if payload.get("calls") else None
        report: dict[str, Any] = {"built": True, "runs": []}
        if payload["inputs"] or payload.get("conversations"):
            toolchain = TOOLCHAINS[payload["language"]]
            sources = {toolchain.file_name: payload["source"], **payload.get("more_sources", {})}
            program = BuiltProgram(self._cells, toolchain, sources, self._files)
            self._cells.hold_to(payload.get("run_seconds", self._cells.time_left()))
            for stdin, bounds in zip_longest(payload["inputs"], payload.get("input_limits", ())):
                last = report["runs"][-1:]
                report["runs"].append(self._run(program, stdin, bounds or {}, last))
            if "checker" in payload:
                report["checked"] = checking.check(
                    self._cells, payload["checker"], payload["inputs"], report["runs"], self._trusted_files
                )
            report["conversations"] = [self._converse(program, test) for test in payload.get("conversations", ())]
        if called:
            self._cells.hold_to(payload.get("run_seconds", self._cells.time_left()))
            report["calls"] = self._call_all(called)
        return report

    def _run(
        self, program: BuiltProgram, stdin: str, bounds: dict[str, Any], last: list[dict[str, Any]]
    ) -> dict[str, Any]:
        if self._passed_limits >= MAX_LIMITS_PASSED and last:
            return not_tried(last[0])
        try:
            facts = _facts(program.start(stdin, bounds).wait())
        except CellEnded as end:
            facts = _facts(end.ended)
        except OutOfTime:
            return dict(OUT_OF_TIME)
        self._passed_limits += facts["ended"].endswith("_limit")
        return self._room.take(facts, "stdout")

    def _converse(self, program: BuiltProgram, test: dict[str, Any]) -> dict[str, Any]:
        judge = {**self._payload["judge"], "files": self._trusted_files}
        start = partial(program.start, None, test.get("limits") or {})
        if self._passed_limits >= MAX_LIMITS_PASSED:
            return conversations.untried()
        facts = conversations.conduct(self._cells, start, test, judge)
        self._passed_limits += conversations.passed_limit(facts)
        return facts

    def _called_program(self) -> BuiltProgram:
        toolchain = CALLED.get(self._payload["language"]) or TOOLCHAINS[self._payload["language"]]
        return BuiltProgram(self._cells, toolchain, self._payload["harnessed"], self._files)

    def _call_all(self, program: BuiltProgram) -> list[dict[str, Any]]:
        calls = Calls(program, self._cells.pump)
        try:
            return [calls.call(call) for call in self._payload["calls"]]
        finally:
            calls.close()


def _facts(ended: Ended) -> dict[str, Any]:
    return {**facts_of(ended), "stdout": ended.stdout.decode("utf-8", "surrogateescape")}
