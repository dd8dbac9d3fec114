"""Conducts test files that run in one process with the response: each twice, and neither run is believed alone.

In each of two versions of the file about half of the tests are decoys, which right code fails. The response's process
sees one version and cannot compare. A test is credited when it passed as written and failed as a decoy; when one passes
both ways, the process reports what no code can do, and nothing it said of that file counts.
"""

import secrets
from typing import Any

from .. import task_files
from ..cells import CellEnded, Cells, OutOfTime
from ..channel import FrameError
from .test_files import FILE

_MAX_TEXT = 1_000


def conduct(cells: Cells, source: str, beside: dict[str, str], files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each file what became of its tests, in the form of `examiner`, or why the file is no test.

    ``beside``: what lies beside the response's code, base64 by path.
    """
    return [_File(cells, source, beside, file["code"]).facts() for file in files]


class _File:
    """One test file and the response."""

    def __init__(self, cells: Cells, source: str, beside: dict[str, str], code: str) -> None:
        self._cells = cells
        self._source = source
        self._beside = beside
        self._code = code
        self._endings: list[str] = []
        self._problem = ""

    def facts(self) -> dict[str, Any]:
        """Return the facts of both runs together."""
        try:
            twins = self._twins()
            if "invalid" in twins:
                return twins
            said = [self._run(version) for version in twins["versions"]]
        except OutOfTime:
            return {"error": "the time for all tests was used up", "ended": "wall_limit", "tests": []}
        tests = [_credit(test["names"], test["honest"], said) for test in twins["tests"]]
        forged = [test["name"] for test in tests if test.pop("forged")]
        for test in tests if forged else ():
            test["passed"], test["detail"] = False, f"not believed: {forged[0]} passed as its decoy, too"
        facts = {"error": self._problem, "tests": tests, "forged": forged}
        return {**facts, "candidate_ended": True, "endings": self._endings} if self._endings else facts

    def _twins(self) -> dict[str, Any]:
        cell = self._cells.open("code_tests.test_twins", trusted=True)
        try:
            twins: dict[str, Any] = cell.ask({"code": self._code})
        except CellEnded as end:
            return {"invalid": f"its tests cannot be listed: {end.ended.ending} {end.ended.stderr[-_MAX_TEXT:]}"}
        finally:
            cell.end()
        return twins

    def _run(self, code: str) -> dict[str, dict[str, Any]]:
        """Run one version; return what was said of each test, by name."""
        cell = self._cells.open("code_tests.shared_tests")
        file = f"test_{secrets.token_hex(8)}.py"
        try:
            task_files.send(cell, self._beside)
            said = cell.ask({"source": self._source, "code": code, "file": file})
        except (CellEnded, FrameError) as end:
            ended = getattr(end, "ended", None)
            self._endings.append(ended.ending if ended else "exited")
            return {}
        finally:
            cell.end()
        match said:
            case {"problem": str(problem), "tests": [*tests]}:
                self._problem = self._problem or _plain(problem, file)
                named = [test for test in tests if isinstance(test, dict) and isinstance(test.get("name"), str)]
                return {test["name"]: {**test, "detail": _plain(test.get("detail"), file)} for test in named}
        return {}


def _credit(names: list[str], honest: int, said: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Decide about one test from what was said of it and of its decoy."""
    real, decoy = said[honest].get(names[honest], {}), said[1 - honest].get(names[1 - honest], {})
    passed = real.get("passed") is True
    decoy_failed = decoy.get("failed") is True and decoy.get("passed") is False
    detail = "" if passed and decoy_failed else str(real.get("detail") or _why(real, decoy))[:_MAX_TEXT]
    return {
        "name": names[honest],
        "passed": passed and decoy_failed,
        "detail": detail,
        "forged": passed and decoy.get("passed") is True,
    }


def _plain(detail: Any, file: str) -> str:
    """Return a detail without the name that was made up for the file, so that equal outcomes read the same."""
    return str(detail or "")[-_MAX_TEXT:].replace(file, FILE)


def _why(real: dict[str, Any], decoy: dict[str, Any]) -> str:
    if not real:
        return "the test did not run to its end"
    return "its decoy passed, too" if decoy.get("passed") is True else "its decoy did not run to its end"
