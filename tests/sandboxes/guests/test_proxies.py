"""Examiner and candidate over a real socket: stand-ins behave as what they stand for, and decide on plain values."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest

from sandboxes.guests.channel import Channel
from sandboxes.guests.code_tests.candidate import main
from sandboxes.guests.code_tests.candidate_errors import CandidateError
from sandboxes.guests.code_tests.link import Link

SOURCE = """
import collections

class Negative(ValueError):
    pass

class Stack:
    def __init__(self): self.items = []
    def push(self, item): self.items.append(item)
    def pop(self): return self.items.pop()
    def __len__(self): return len(self.items)
    def __add__(self, other):
        both = Stack()
        both.items = self.items + other.items
        return both

class Always:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    def __lt__(self, other): return True

def square(x):
    if x < 0: raise Negative('below zero')
    return x * x

def reverse(items): items.reverse()
def count(n):
    for i in range(n): yield i
def apply(function, items): return [function(item) for item in items]
def leave(): raise SystemExit
def always(): return Always()
def names(): return collections.Counter('aab')
async def later(x): return x + 1

import enum
class Colour(enum.Enum):
    RED = 1
    BLUE = 2
def colour(): return Colour.RED
"""


@contextmanager
def solution(source=SOURCE, *, objects=False):
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=main, args=(Channel(theirs), []))
    thread.start()
    channel = Channel(ours)

    def exchange(message):
        channel.send(message)
        return channel.receive()

    link = Link(exchange)
    link.objects = objects
    try:
        yield link.load(source)
    finally:
        ours.close()
        thread.join()
        theirs.close()


def test_functions_return_plain_values():
    """A call crosses and its value comes back."""
    with solution() as names:
        assert names["square"](-0 + 3) == 9
        assert names["names"]() == {"a": 2, "b": 1}


def test_exceptions_keep_their_family():
    """An exception of the solution is caught as its own class and as the builtin it derives from."""
    with solution() as names:
        for kind in (ValueError, names["Negative"]):
            with pytest.raises(kind, match="below zero"):
                names["square"](-1)


def test_exits_do_not_reach_the_examiner():
    """SystemExit over there is an ordinary error here."""
    with solution() as names, pytest.raises(CandidateError):
        names["leave"]()


def test_arguments_changed_in_place_change_here():
    """In-place functions can be tested."""
    with solution() as names:
        items = [1, 2, 3]
        names["reverse"](items)
        assert items == [3, 2, 1]


def test_iterators_callbacks_and_coroutines_cross():
    """Generators are pulled, functions of the test are called back, coroutines are awaited over there."""
    with solution() as names:
        assert list(names["count"](200)) == list(range(200))
        assert names["apply"](lambda x: x + 1, [1, 2]) == [2, 3]
        assert asyncio.run(names["later"](1)) == 2


def test_instances_stay_over_there():
    """Classes, methods, attributes and operators of the solution work through stand-ins."""
    with solution(objects=True) as names:
        one, other = names["Stack"](), names["Stack"]()
        one.push(1)
        other.push(2)
        assert len(one) == 1
        assert (one + other).items == [1, 2]
        assert isinstance(one, names["Stack"])
        with pytest.raises(IndexError):
            names["Stack"]().pop()


def test_objects_that_equal_everything_equal_nothing_plain():
    """Equality, order and arithmetic with plain values are not the candidate's to decide."""
    with solution() as names:
        it = names["always"]()
        assert it != 4
        assert it not in (1, 2)
        with pytest.raises(TypeError):
            assert it < 4
        with pytest.raises(TypeError):
            assert abs(it - 4) < 1


def test_one_object_has_one_stand_in():
    """Members of an enumeration are what they are, and not one another."""
    with solution(objects=True) as names:
        assert names["colour"]() is names["Colour"].RED
        assert names["colour"]() != names["Colour"].BLUE


def test_private_names_are_not_offered():
    """A candidate cannot hand over the builtins of the test program."""
    link = Link(lambda message: {"value": [["__builtins__", {"d": []}], ["not a name", 1], [3, 1], ["f", 1]]})
    assert link.load("") == {"f": 1}
