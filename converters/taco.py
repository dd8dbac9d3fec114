"""TACO: rows of the form of APPS; some `solutions` are a list, and some rows have no tests."""

from collections.abc import Mapping
from typing import Any

from converters import apps
from converters.records import Converted, Options


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `code_tests`."""
    return apps.convert(row, options)
