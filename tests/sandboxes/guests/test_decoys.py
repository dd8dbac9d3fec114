"""Decoys of tests: what right code passes as it was written, it fails as a decoy, whatever the dice say."""

import ast
import json
import random
import sys
import types
from pathlib import Path

import pytest

from sandboxes.guests.code_tests.decoys import versions
from sandboxes.guests.code_tests.perturbation import perturb

HEAD = "import unittest\nfrom unittest import mock\nimport pytest\nfrom world import *\n"
DECIDED = [
    json.loads(line)["body"] for line in Path(__file__).with_name("decoys.jsonl").read_text("utf-8").splitlines()
]


class OwnError(ValueError):
    pass


def fail(error):
    raise error


@pytest.fixture(autouse=True)
def world(monkeypatch):
    module = types.ModuleType("world")
    vars(module).update(double=lambda x: x + x, same=lambda x: x, fail=fail, Own=OwnError)
    monkeypatch.setitem(sys.modules, "world", module)


def passes(code):
    space = {}
    exec(compile(code, "<test>", "exec"), space)
    marks = getattr(space["test_it"], "pytestmark", [])
    rows = marks[0].args[1] if marks else [()]
    try:
        for row in rows:
            space["test_it"](*getattr(row, "values", row))
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a test fails by whatever it raises
        return False
    return True


def check_both(code):
    for seed in range(20):
        made = versions(code, random.Random(seed))
        assert made.undecided == []
        side = made.honest["test_it"]
        assert passes(made.codes[side]), made.codes[side]
        assert not passes(made.codes[1 - side]), made.codes[1 - side]


@pytest.mark.parametrize("body", DECIDED, ids=lambda body: body.strip().splitlines()[-1][:40])
def test_right_code_passes_the_test_and_fails_its_decoy(body):
    """Every way to decide that is known turns into its contrary, exactly."""
    check_both(HEAD + "def test_it():\n    " + body.strip().replace("\n", "\n    ") + "\n")


@pytest.mark.parametrize(
    "rows",
    [
        "'x, want', [(1, 2), (2, 4)]",
        "('x', 'want'), [[1, 2]]",
        "['x', 'want'], [pytest.param(1, 2), (3, 6)]",
    ],
)
def test_what_parametrize_binds_is_changed(rows):
    """The column that is compared is changed, and not the comparison."""
    code = f"{HEAD}@pytest.mark.parametrize({rows})\ndef test_it(x, want):\n    assert double(x) == want\n"
    check_both(code)
    assert all("!=" not in text for text in versions(code, random.Random(0)).codes)


@pytest.mark.parametrize("body", ["double(1)", "pass", "if same(1):\n        assert False"])
def test_a_test_that_compares_nothing_is_told(body):
    """What cannot fail for a right solution's sake cannot be proven to have run."""
    assert versions(f"{HEAD}def test_it():\n    {body}\n", random.Random(0)).undecided == ["test_it"]


def test_the_dice_decide_which_version_is_honest():
    """Each test of a file is a decoy in one version, and which one differs from test to test."""
    code = HEAD + "".join(f"def test_{i}():\n    assert same({i}) == {i}\n" for i in range(40))
    honest = versions(code, random.Random(5)).honest
    assert 8 < sum(honest.values()) < 32


@pytest.mark.parametrize("text", ["0", "-3", "2.5", "'Ab9'", "''", "b'x'", "[1, [2]]", "()", "{}", "set([1])", "1j"])
def test_another_value_of_the_same_look_is_another_value(text):
    """A perturbed literal never equals what it was made of, and has its type."""
    node = ast.parse(text, mode="eval").body
    for seed in range(20):
        other = ast.unparse(perturb(node, random.Random(seed)))
        assert eval(other) != eval(text)
        assert type(eval(other)) is type(eval(text))
