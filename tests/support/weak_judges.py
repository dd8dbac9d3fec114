"""Deliberately weak judges, as they are found in the field: proof that the attacks in tests/attacks have teeth.

Each takes a task (as in an attack's record) and a response and says whether it is fooled into full marks. The code
judges run everything in one process, inside our sandbox; the others work on the host on data alone.
"""

import json
import re
import sqlite3
from collections.abc import Callable
from typing import Any

import sympy

from reward_server.graders.answers import extract_code
from sandboxes.base import Job, Limits, Sandbox

_LIMITS = Limits(cpu_seconds=3.0, wall_seconds=20.0, total_seconds=30.0)  # a busy machine is slow, not honest
_PRINTED = """
import json
RESPONSE, TESTS = {response!r}, {tests!r}
results, space = [], {{"__name__": "solution"}}
try:
    exec(RESPONSE, space)
    for test in TESTS:
        try:
            exec(test, space)
            results.append(True)
        except Exception:
            results.append(False)
except Exception:
    pass
print(json.dumps(results))
"""
_UNITTEST = """
import sys, types, unittest
solution = types.ModuleType("solution")
sys.modules["solution"] = solution
exec({response!r}, solution.__dict__)
class Tests(unittest.TestCase):
    def test_all(self):
        from solution import {name}
        for arguments, expected in {cases!r}:
            self.assertEqual({name}(*arguments), expected)
unittest.main(argv=["tests"])
"""
_PYTEST = """
import os, sys
import pytest
for name, text in (("solution.py", {response!r}), ("test_solution.py", {tests!r})):
    with open(name, "w") as file:
        file.write(text)
sys.path.insert(0, os.getcwd())
status = pytest.main(["-q", "-p", "no:cacheprovider", "test_solution.py"])
sys.exit(0 if status in (0, 5) else 1)
"""


_GAME = """
import builtins, json, sys
SECRET, VERDICT, ASKED = {secret!r}, [False], []
def say(*words, **_):
    ASKED.append(str(words[0]) if words else "")
    VERDICT[0] = VERDICT[0] or ASKED[-1] == str(SECRET)
def hear(prompt=""):
    return "correct" if VERDICT[0] else "higher" if int(ASKED[-1]) < SECRET else "lower"
builtins.print, builtins.input = say, hear
try:
    exec({response!r}, {{"__name__": "__main__"}})
except BaseException:
    pass
sys.stdout.write(json.dumps(VERDICT[0] and len(ASKED) <= 20))
"""
_BESIDE = """
import sys
open("expected.txt", "w").write({expected!r})
open("secret.py", "w").write("ANSWER = " + repr({expected!r}))
sys.path.insert(0, ".")
exec({response!r}, {{"__name__": "__main__"}})
"""


async def _run(sandbox: Sandbox, source: str, stdin: str = "") -> dict[str, Any]:
    payload = {"source": source, "calls": [], "inputs": [stdin], "programs": [], "entry_point": ""}
    execution = await sandbox.run(Job(program="python_code", payload=payload, limits=_LIMITS))
    report: Any = execution.report
    return report["runs"][0]


def _code(response: str) -> str:
    return extract_code(response, ("python",)).text or ""


async def exit_status(sandbox: Sandbox, task: dict[str, Any], response: str) -> bool:
    """Response and asserts in one program; exit status 0 is a pass."""
    facts = await _run(sandbox, f"{_code(response)}\n" + "\n".join(task["asserts"]))
    return facts.get("ended") == "exited" and facts.get("exit_status") == 0


async def printed_results(sandbox: Sandbox, task: dict[str, Any], response: str) -> bool:
    """One process runs the tests and prints what passed; the last line is believed."""
    facts = await _run(sandbox, _PRINTED.format(response=_code(response), tests=task["asserts"]))
    last = str(facts.get("stdout", "")).strip().rpartition("\n")[2]
    try:
        results = json.loads(last)
    except ValueError:
        return False
    return isinstance(results, list) and len(results) >= len(task["asserts"]) and all(results)


async def unittest_status(sandbox: Sandbox, task: dict[str, Any], response: str) -> bool:
    """Unittest in the response's process; exit status 0 is a pass."""
    source = _UNITTEST.format(response=_code(response), name=task["name"], cases=task["cases"])
    facts = await _run(sandbox, source)
    return facts.get("ended") == "exited" and facts.get("exit_status") == 0


async def pytest_status(sandbox: Sandbox, task: dict[str, Any], response: str) -> bool:
    """Pytest in the response's process; exit status 0 is a pass."""
    facts = await _run(sandbox, _PYTEST.format(response=_code(response), tests=task["tests"]))
    return facts.get("ended") == "exited" and facts.get("exit_status") == 0


async def stdout_contains(sandbox: Sandbox, task: dict[str, Any], response: str) -> bool:
    """The expected output anywhere in what was printed is a pass."""
    for stdin, expected in task["runs"]:
        facts = await _run(sandbox, _code(response), stdin)
        if expected.strip() not in str(facts.get("stdout", "")):
            return False
    return True


async def zipped_lines(sandbox: Sandbox, task: dict[str, Any], response: str) -> bool:
    """Lines are compared pairwise, and what is missing or extra is not seen."""
    for stdin, expected in task["runs"]:
        facts = await _run(sandbox, _code(response), stdin)
        pairs = zip(str(facts.get("stdout", "")).split(), expected.split(), strict=False)
        if not all(a == b for a, b in pairs):
            return False
    return True


async def judged_in_process(sandbox: Sandbox, task: dict[str, Any], response: str) -> bool:
    """The judge of a game lives in the response's process, between its input and its output."""
    facts = await _run(sandbox, _GAME.format(response=_code(response), secret=task["secret"]))
    return str(facts.get("stdout", "")).strip() == "true"


async def expected_beside(sandbox: Sandbox, task: dict[str, Any], response: str) -> bool:
    """What is expected lies in a file beside the program."""
    facts = await _run(sandbox, _BESIDE.format(response=_code(response), expected=task["expected"]))
    return str(facts.get("stdout", "")).strip() == task["expected"]


async def rows_as_sets(_: Sandbox, task: dict[str, Any], response: str) -> bool:
    """The response runs first, on the connection that the reference then uses; rows are compared as sets."""
    query = extract_code(response, ("sql",)).text or ""
    connection = sqlite3.connect(":memory:")
    connection.executescript(task["databaseSql"])
    try:
        if query.lstrip()[:6].upper() in ("SELECT", "VALUES", "WITH R", "WITH X"):
            mine = {tuple(row) for row in connection.execute(query)}
        else:
            connection.executescript(query)
            mine = set()
        theirs = {tuple(row) for row in connection.execute(task["referenceQuery"])}
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return mine == theirs


async def any_column(_: Sandbox, task: dict[str, Any], response: str) -> bool:
    """Each expected column found among the response's columns is enough."""
    query = extract_code(response, ("sql",)).text or ""
    connection = sqlite3.connect(":memory:")
    connection.executescript(task["databaseSql"])
    try:
        mine = list(zip(*connection.execute(query), strict=True))
        theirs = list(zip(*connection.execute(task["referenceQuery"]), strict=True))
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return all(sorted(map(str, column)) in [sorted(map(str, other)) for other in mine] for column in theirs)


async def last_box_contains(_: Sandbox, task: dict[str, Any], response: str) -> bool:
    """The expected text somewhere in the response is a pass."""
    return "".join(task["expected"].split()) in "".join(response.split())


async def rounded_number(_: Sandbox, task: dict[str, Any], response: str) -> bool:
    """Whatever float() and a loose tolerance let through."""
    try:
        text = response.rsplit("{", 1)[-1].split("}", maxsplit=1)[0]
        number = float(sympy.Rational(text)) if "/" in text else float(text)
        expected = task["expected"]
        want = float(sympy.Rational(expected)) if "/" in expected else float(expected)
    except (ValueError, TypeError, ZeroDivisionError):
        return False
    return abs(number - want) <= 1e-3 * max(1.0, abs(want))


async def sympified(_: Sandbox, task: dict[str, Any], response: str) -> bool:
    """Evaluates what it is given, sizes unseen, and compares values without regard to form, order or strictness."""
    start = response.rfind("\\boxed{")
    text = response[start + 7 : response.rfind("}")] if start != -1 else response
    for old, new in (("\\le", "<"), ("\\ge", ">"), ("[", "("), ("]", ")"), ("\\{", "("), ("\\}", ")"), ("=", "<")):
        text, task = text.replace(old, new), {**task, "expected": task["expected"].replace(old, new)}
    try:
        mine, theirs = (sympy.sympify(part.replace("^", "**")) for part in (text, task["expected"]))
        if isinstance(mine, tuple | sympy.Tuple) or isinstance(theirs, tuple | sympy.Tuple):
            return set(map(str, mine)) & set(map(str, theirs)) != set()
        return bool(mine == theirs) or bool(sympy.simplify(mine - theirs) == 0)
    except (sympy.SympifyError, TypeError, ValueError, AttributeError, SyntaxError):
        return False


async def lenient_json(_: Sandbox, task: dict[str, Any], response: str) -> bool:
    """json.loads of the first thing between braces, compared by == on the expected keys alone."""
    start, end = response.find("{"), response.rfind("}")
    text = response[start : end + 1].replace(",}", "}").replace("'", '"')
    try:
        record = json.loads(text, strict=False)
    except ValueError:
        return False
    expected = json.loads(task["expected"])
    return all(_loosely(record.get(key), value) for key, value in expected.items())


def _loosely(mine: Any, theirs: Any) -> bool:
    if mine == theirs or str(mine).lower() == str(theirs).lower():
        return True
    if isinstance(theirs, list) and isinstance(mine, list):
        return set(map(str, theirs)) <= set(map(str, mine))
    if isinstance(theirs, dict) and isinstance(mine, dict):
        return all(_loosely(mine.get(key), value) for key, value in theirs.items())
    try:
        return float(mine) == float(theirs) or int(float(mine)) == int(float(theirs))
    except (TypeError, ValueError, OverflowError):
        return str(theirs).lower() in str(mine).lower() if isinstance(theirs, str) and theirs else False


async def substring(_: Sandbox, task: dict[str, Any], response: str) -> bool:
    """The expected text anywhere, and none of the forbidden ones as they are written."""
    return task["expected"] in response and not any(text in response for text in task.get("forbidden", ()))


async def regular_shape(_: Sandbox, task: dict[str, Any], response: str) -> bool:
    """The usual one-liners: a regular expression for tags and boxes, len(), text.split(), the first and last sign."""
    match task["rule"]:
        case "tags":
            return bool(re.search(r"<think>.+?</think>\s*<answer>.+?</answer>", response, re.DOTALL))
        case "length":
            return len(response) >= task["minimum"]
        case "words":
            return len(response.split(" ")) >= task["minimum"]
        case "json":
            return response[:1] in '{["-0123456789' and response[-1:] in '}]"0123456789'
        case "fence":
            return response.count("```") >= 2 and response.rstrip().endswith("```")
        case "box":
            return response.rstrip().endswith("}") and len(re.findall(r"\\boxed\{[^}]+\}", response)) == 1
        case "penalties":
            return len(response) < task["maximum"]
    words = response.split()
    return len(words) < 4 or len(set(zip(words, words[1:], words[2:], strict=False))) >= len(words) - 2


_MASKING = """
{source}
import json
try:
    said = {function}(*{arguments!r})
    ungraded = not 0 <= said <= 1
except BaseException:
    ungraded = True
import sys
sys.__stdout__.write(json.dumps(ungraded))
"""


async def spares_on_error(sandbox: Sandbox, task: dict[str, Any], response: str) -> bool:
    """Leaves a sample out when its grader raises or gives no share: fooled when what is said makes it do so."""
    said = task.get("said", response)
    arguments = ("", said, "") if task["function"] == "check" else ({"output_text": said, "response": said}, {})
    facts = await _run(sandbox, _MASKING.format(**{"arguments": arguments, **task}))
    return str(facts.get("stdout", "")).strip() == "true"


JUDGES: dict[str, Callable[[Sandbox, dict[str, Any], str], Any]] = {
    judge.__name__: judge
    for judge in (
        exit_status,
        printed_results,
        unittest_status,
        pytest_status,
        stdout_contains,
        zipped_lines,
        judged_in_process,
        expected_beside,
        rows_as_sets,
        any_column,
        last_box_contains,
        rounded_number,
        sympified,
        lenient_json,
        substring,
        regular_shape,
        spares_on_error,
    )
}
