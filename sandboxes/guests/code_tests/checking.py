"""Conducts a task's own checker: outputs as data, in a cell that holds no untrusted code."""

from collections.abc import Mapping
from typing import Any

from .. import task_files
from ..cells import CellEnded, Cells, Ended, OutOfTime
from ..channel import FrameError
from .checker import PROBES
from .endings import sentence


def check(
    cells: Cells, checker: Mapping[str, Any], inputs: list[str], runs: list[dict[str, Any]], files: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Let ``checker`` (source, expected) judge what the ``runs`` printed; runs that failed count as empty output."""
    outputs = [run.get("stdout", "") for run in runs]
    cases = [list(case) for case in zip(inputs, outputs, checker["expected"], strict=True)]
    checking = _Checking(cells, checker["source"], files)
    try:
        return checking.ask(cases)
    except (CellEnded, FrameError, OutOfTime):  # one of the outputs may be to blame, and only that one shall pay
        return [checking.alone(case) for case in cases]


class _Checking:
    """One checker, asked in one cell after another."""

    def __init__(self, cells: Cells, source: str, files: Mapping[str, str]) -> None:
        self._cells = cells
        self._source = source
        self._files = files

    def ask(self, cases: list[list[str]]) -> list[dict[str, Any]]:
        """Return what the checker says of each case. Raises `CellEnded`, `FrameError`, `OutOfTime`."""
        checker = self._cells.open("code_tests.checker", trusted=True)
        try:
            task_files.send(checker, self._files)
            checked: list[dict[str, Any]] = checker.ask({"source": self._source, "cases": cases})["checked"]
        finally:
            checker.end()
        return checked

    def alone(self, case: list[str]) -> dict[str, Any]:
        """Check one output in a cell of its own; only a checker that fails on what is expected too is broken."""
        try:
            return self.ask([case])[0]
        except OutOfTime:
            return {"score": 0.0, "detail": "the time for all tests was used up"}
        except FrameError:
            return {"score": 0.0, "detail": "the output is too long for the checker"}
        except CellEnded as end:
            said = f"the checker, given this output: {sentence(end.ended)} {end.ended.stderr[-500:]}"
            return {"error": said} if self._is_broken(case, end.ended) else {"score": 0.0, "detail": said}

    def _is_broken(self, case: list[str], ended: Ended) -> bool:
        """Return whether the checker ends on what is expected, too; where nothing is, on everything."""
        stdin, _, expected = case
        if not expected and ended.ending.endswith("_limit"):
            return False
        outputs = (expected,) if expected else PROBES
        try:
            return all(self._fails([stdin, output, expected]) for output in outputs)
        except (OutOfTime, FrameError):
            return False

    def _fails(self, case: list[str]) -> bool:
        try:
            (checked,) = self.ask([case])
        except CellEnded:
            return True
        return "error" in checked
