"""The role that prepares a test file for running beside the response: it makes two versions and lists their tests.

It holds the task author's program and none of the response, so the names that it finds are the ones that must pass.
"""

import ast
import builtins
import inspect
import io
import random
import sys
import types
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from . import file_examiner, test_files, trusted_names
from .candidate import MODULE
from .decoys import versions

__all__ = ["run"]

del file_examiner  # imported for what it has loaded ahead
_MAX_TEXT = 1_000
_MAX_TESTS = 10_000
_FILES = ("test_first.py", "test_second.py")
_DICE = random.SystemRandom()


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Return ``versions`` and per test the names it has in them and which one stands as written; or ``invalid``."""
    tree = ast.parse(payload["code"])
    if missing := trusted_names.missing_modules(tree, MODULE):
        return {"invalid": f"it imports {missing[0]}, which the sandbox does not have"}
    made = versions(payload["code"], _DICE)
    sys.modules[MODULE] = _anything(tree)
    first, second = (_collect(code, file) for code, file in zip(made.codes, _FILES, strict=True))
    if problem := first.problem or second.problem:
        return {"invalid": f"its tests cannot be listed without a solution: {problem[-_MAX_TEXT:]}"}
    names = [function for _, function in first.found]
    if not names or names != [function for _, function in second.found] or len(names) > _MAX_TESTS:
        return {"invalid": f"{len(names)} tests in it, and {len(second.found)} in its decoys"}
    if undecided := [name for name in names if name in made.undecided or name not in made.honest]:
        return {"invalid": f"{undecided[0]} compares nothing that a decoy could change: see shared_process"}
    tests = [
        {"names": [mine, other], "honest": made.honest[function]}
        for (mine, function), (other, _) in zip(first.found, second.found, strict=True)
    ]
    return {"versions": list(made.codes), "tests": tests}


class _Listing:
    """A pytest plugin that notes what was collected."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self.problem = ""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Note each test's name, and the qualified name of its function."""
        for item in items:
            function = inspect.unwrap(getattr(item, "function", item.obj))
            self.found.append((item.nodeid.partition("::")[2], function.__qualname__))

    def pytest_collectreport(self, report: Any) -> None:
        """Note why the file could not be collected."""
        if report.failed:
            self.problem = str(report.longrepr)


def _collect(code: str, file_name: str) -> _Listing:
    listing = _Listing()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        test_files.run_pytest(code, file_name, listing, "--collect-only")
    return listing


class _Kind(type):
    """The class of classes that stand for whatever a solution may define, while tests are only listed."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Kind(name, (_Thing,), {})


class _Thing(metaclass=_Kind):
    """Takes any arguments, has any attribute."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(type(self), name)

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Call it."""
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _anything(tree: ast.Module) -> types.ModuleType:
    """Return a module that has every name."""
    module = types.ModuleType(MODULE)
    names = [name for name in trusted_names.free_names(tree) if not hasattr(builtins, name)]
    vars(module).update({name: getattr(_Thing, name) for name in names if not name.startswith("__")})
    module.__all__ = names  # type: ignore[attr-defined] # what `import *` gives
    module.__getattr__ = lambda name: getattr(_Thing, name)  # type: ignore[method-assign] # for all other names
    return module
