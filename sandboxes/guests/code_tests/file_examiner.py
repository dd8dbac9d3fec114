"""The examiner's role for test files, with pytest loaded ahead: importing it takes a hundred times a fork."""

import importlib
from contextlib import suppress

from .examiner import main

__all__ = ["main"]

for _name in (
    "pytest",
    "_pytest.capture",
    "_pytest.fixtures",
    "_pytest.python",
    "_pytest.terminal",
    "_pytest.unittest",
):
    with suppress(ImportError):  # said again, as the outcome of the file, by whoever then uses it
        importlib.import_module(_name)
