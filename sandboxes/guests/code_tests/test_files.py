"""Runs a pytest or unittest file inside the examiner, with the solution's module replaced by stand-ins."""

import asyncio
import inspect
import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

FILE = "test_solution.py"
_MAX_TEXT = 1_000
_OPTIONS = (
    *("-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--noconftest", "-c", os.devnull, "--rootdir=."),
    *("--capture=no", "--assert=plain"),
)


def run(framework: str, code: str) -> dict[str, Any]:
    """Run ``code`` as a test file; return every test's name, outcome and detail."""
    del framework  # pytest collects unittest's test cases as well
    recorder = Recorder()
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(io.StringIO()):
        status = run_pytest(code, FILE, recorder)
    if recorder.problem:  # its syntax and its imports were looked at before, so the solution is to blame
        return {"error": recorder.problem[-_MAX_TEXT:], "tests": []}
    if not recorder.collected:
        return {
            "error": "",
            "tests": [],
            "invalid": f"no test in it, status {status}: {output.getvalue()[-_MAX_TEXT:]}",
        }
    return {"error": "", "tests": [recorder.outcomes.get(name) or _missing(name) for name in recorder.collected]}


def run_pytest(code: str, file_name: str, plugin: Any, *options: str) -> int:
    """Write ``code`` to a file and run pytest on it alone: no configuration, no other plugins; return its status."""
    import pytest  # noqa: PLC0415 - only where test files are used; preloading it would double every zygote

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # only pytest itself, whatever else is installed
    with open(file_name, "w", encoding="utf-8") as file:
        file.write(code)
    sys.path.insert(0, os.getcwd())
    return int(pytest.main([*_OPTIONS, *options, file_name], plugins=[plugin]))


def _missing(name: str) -> dict[str, Any]:
    return {"name": name, "passed": False, "detail": "the test did not run to its end"}


class Recorder:
    """A pytest plugin that remembers what was collected and what became of it. Only a passed call passes."""

    def __init__(self) -> None:
        self.collected: list[str] = []
        self.outcomes: dict[str, dict[str, Any]] = {}
        self.failed: dict[str, bool] = {}
        """Whether a test itself failed, by name; one that was skipped or not set up did not."""
        self.problem = ""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Note every test before any runs."""
        self.collected = [self._name(item.nodeid) for item in items]

    def pytest_pyfunc_call(self, pyfuncitem: Any) -> object:
        """Run a test that is a coroutine function, marked or not."""
        if not inspect.iscoroutinefunction(pyfuncitem.obj):
            return None
        names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 - pytest has no public name for it
        asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
        return True

    def pytest_collectreport(self, report: Any) -> None:
        """Note why the file could not be collected."""
        if report.failed:
            self.problem = str(report.longrepr)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note one phase of one test; a failed set-up or tear-down fails the test, a skip is no pass."""
        name = self._name(report.nodeid)
        if report.when == "call" or report.outcome != "passed":
            passed = report.when == "call" and report.outcome == "passed" and not hasattr(report, "wasxfail")
            known = self.outcomes.get(name)
            if known is None or not passed:
                detail = "" if passed else str(report.longrepr)[-_MAX_TEXT:]
                self.outcomes[name] = {"name": name, "passed": passed, "detail": detail}
                self.failed[name] = report.when == "call" and report.outcome == "failed"

    def _name(self, node: str) -> str:
        return node.partition("::")[2]
