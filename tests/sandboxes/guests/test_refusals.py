"""Which exceptions of an author's program are meant."""

import pytest

from sandboxes.guests.refusals import is_meant

MEANT = [
    "raise ValueError('no answer')",
    "raise Exception",
    "class Bad(Exception): pass\nraise Bad",
    "assert 1 == 2",
    "import sys\nsys.exit(1)",
    "def inner(x):\n    if x:\n        raise KeyError('own')\ninner(1)",
    "def inner(x):\n    if not x:\n        return 1\n    raise KeyError('own')\ninner(1)",
    "def inner(x):\n    assert x\ninner(0)",
    "try:\n    {}['x']\nexcept KeyError as error:\n    raise ValueError from error",
]
NOT_MEANT = [
    "{}['x']",
    "undefined",
    "1 / 0",
    "int('x')",
    "[][1]",
    "None.group(1)",
    "import json\njson.loads('x')",
    "raise NotImplementedError",
    "import nowhere",
    "def judge():\n    say = 1\n    raise RuntimeError\njudge()",
    "import sys\ndef judge():\n    sys.exit(1)\njudge()",
]


def raised(source):
    try:
        exec(compile(source, "<grader>", "exec"), {})
    except BaseException as error:  # noqa: BLE001 - whatever it raises
        return error
    raise AssertionError("it raised nothing")


@pytest.mark.parametrize("source", MEANT)
def test_what_the_author_raises_is_meant(source):
    """By raise, assert or an exit, in a function of its own, too."""
    assert is_meant(raised(source), source)


@pytest.mark.parametrize("source", NOT_MEANT)
def test_what_fails_in_something_else_is_not_meant(source):
    """A missing key or name, what a library raises, and what says that it is not done."""
    assert not is_meant(raised(source), source)
