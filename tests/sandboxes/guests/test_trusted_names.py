"""What a test program computes with is the task's."""

import ast
import math

from sandboxes.guests.code_tests.trusted_names import free_names, space_for

FORGED = {"f": "theirs", "abs": "theirs", "math": "theirs", "scale": "theirs", "sum": "theirs"}


def space(code, prefix="", entry_point="", offered=FORGED):
    return space_for(ast.parse(code), offered, prefix=prefix, entry_point=entry_point)


def test_builtins_cannot_be_replaced():
    """A response that defines abs does not change what the test's abs is."""
    assert "abs" not in space("assert abs(f(1) - 2) < 1e-6")
    assert "abs" not in space("assert abs(f(1) - 2) < 1e-6", entry_point="f")


def test_a_task_may_ask_for_a_builtins_name():
    """When the tests use nothing else of the response, or it is the entry point, the response's sum is meant."""
    assert space("assert sum(10, 15) == 6")["sum"] == "theirs"
    assert space("assert sum(f(1), 15) == 6", entry_point="sum")["sum"] == "theirs"


def test_modules_are_the_real_ones():
    """The math of a test is the standard library's, though only the response imports it."""
    assert space("assert math.isclose(f(1), 2)")["math"] is math


def test_helpers_of_the_prefix_are_the_tasks():
    """What the prompt defines beside the entry point is taken from the prompt."""
    prefix = "from math import sqrt\nLIMIT = 3\n\ndef scale(x):\n    return x * 2\n\ndef f(x):\n    '''to do'''\n"
    names = space("assert scale(f(1)) == LIMIT", prefix=prefix, entry_point="f")
    assert names["scale"](2) == 4
    assert names["LIMIT"] == 3
    assert names["sqrt"] is math.sqrt
    assert names["f"] == "theirs"


def test_stubs_and_classes_of_the_prefix_are_the_responses():
    """A function without a body is to be written, and instances must be the response's own."""
    assert space("scale(1)", prefix="def scale(x):\n    '''to do'''\n")["scale"] == "theirs"
    assert space("scale(1)", prefix="class Node:\n    pass\n\ndef scale(x):\n    return Node()\n")["scale"] == "theirs"


def test_free_names_are_those_a_program_does_not_bind():
    """Arguments, loops, imports and definitions bind."""
    code = "import os.path as p\ndef check(c):\n    for i in c(p): print(i, rest)\n"
    assert free_names(ast.parse(code)) == {"print", "rest"}
