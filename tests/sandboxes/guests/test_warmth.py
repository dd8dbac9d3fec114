"""What guests do ahead of the first job: all of it is understood, and it leaves nothing to load."""

import subprocess
import sys
from pathlib import Path

import pytest

import sandboxes
from sandboxes.guests.math_answer import _compare
from sandboxes.guests.math_answer.warmth import _payloads
from sandboxes.guests.sql_query.translation import translate
from sandboxes.guests.sql_query.warmth import _QUERIES

_LOADS_NOTHING = """
import sys
from guests import {role}
before = set(sys.modules)
{calls}
print(sorted(set(sys.modules) - before))
"""
_ANSWERS = r"""
from guests.math_answer.warmth import _PLAIN
for expected, answer in ((r"\frac{z^3}{\sqrt{3}}", "z^3/sqrt(3)"), ("y^2-4", "(y-2)(y+2)"), (r"\cos t", r"\sin t")):
    math_answer.run({**_PLAIN, "answers": [answer], "expected": [expected], "solution": None, "givens": []})
"""
_QUERY = 'sql_query.translate("SELECT a FROM t WHERE b > 1", "postgres"); sql_query.describe("SELECT a FROM t")'


def test_every_pair_of_the_warm_up_is_understood():
    """A pair that the grammar does not read, or that cannot be decided, warms nothing."""
    outcomes = {(str(payload["expected"]), _compare(payload)[0]) for payload in _payloads()}
    assert {outcome for _, outcome in outcomes} <= {"equal", "different", "form"}
    assert len({outcome for _, outcome in outcomes}) == 3


def test_every_query_of_the_warm_up_is_understood():
    """A query that sqlglot does not read warms nothing."""
    assert all(translate(query, "postgres").query for query in _QUERIES)


@pytest.mark.parametrize(("role", "calls"), [("math_answer", _ANSWERS), ("sql_query", _QUERY)])
def test_a_warm_guest_loads_nothing_more(role, calls):
    """After the guest's import, common jobs import no further module."""
    directory = str(Path(sandboxes.__file__).parent)
    program = f"import sys; sys.path.insert(0, {directory!r})" + _LOADS_NOTHING.format(role=role, calls=calls)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
