"""Other people's packages, imported when they are used."""

import importlib
from typing import Any


def needed(module: str, install: str) -> Any:
    """Return ``module`` of a stack. Raises ImportError that says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this adapter needs {module}: {install} ({error})") from error
