"""Whatever bytes come on a candidate's channel, they earn nothing that the value they say does not deserve."""

import ast
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_server.graders.code_tests import GRADER
from reward_server.tasks.code_tests import CallTest, CodeTestsTask
from sandboxes.base import Ending, Execution, Limits
from sandboxes.guests.channel import FrameError, FrameReader, encode
from sandboxes.guests.code_tests.examiner import CandidateEnded, Examiner
from sandboxes.guests.code_tests.python_code import _reply

SECRET = "expected-7f3a9c51d2"
TASK = CodeTestsTask(entry_point="f", call_tests=(CallTest(args=("1",), expected=repr(SECRET)),))
KEYS = st.sampled_from(
    [
        *("value", "raised", "callback", "changed", "same", "mro", "message", "args", "handle", "kwargs", "returned"),
        *("i", "f", "c", "b", "t", "s", "d", "q", "x", "o", "ended", "report", "passed", "score", "ready"),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-3, 1 << 60) | st.floats() | st.text(max_size=6)
KINDS = st.sampled_from(["function", "class", "exception", "iterator", "object", "valued", "module"])
REMOTE = st.builds(lambda number, kind: {"o": [number, kind, "<class 'solution.X'>"]}, st.integers(0, 5), KINDS)
JSON = st.recursive(
    LEAVES | REMOTE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
REPLIES = st.fixed_dictionaries({"value": JSON}) | JSON
QUICK = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
TESTS = {
    "equals": f"assert f(1) == {SECRET!r}",
    "swapped": f"assert {SECRET!r} == f(1)",
    "in": f"assert f(1) in [{SECRET!r}]",
    "number": "assert abs(f(1) - 123456.789) < 0.001",
    "order": "assert 123456.7 < f(1) < 123456.8",
    "method": f"assert f(1).startswith({SECRET!r})",
    "list": f"assert list(f(1)) == [{SECRET!r}, 3]",
    "kind": f"assert isinstance(f(1), str) and f(1) == {SECRET!r}",
    "raises": f"try:\n    f(1)\nexcept ZeroDivisionError as e:\n    assert e.args == ({SECRET!r},)",
}


def call_score(message):
    """Return what the grader makes of a message, as a call's answer."""
    job = GRADER.plan(TASK, "def f(x): pass", Limits())
    report = {"calls": [_reply(message)]}
    return GRADER.judge(TASK, job, Execution(ending=Ending.EXITED, report=report), None).score


def encode_or_empty(message):
    try:
        return encode(message)
    except FrameError:
        return b""


@QUICK
@given(st.binary(max_size=200) | REPLIES.map(encode_or_empty))
def test_no_bytes_on_the_channel_pass_a_call_test(data):
    """A frame, or no frame, that does not say the expected value earns nothing, and nothing raises."""
    reader = FrameReader()
    try:
        reader.feed(data)
    except FrameError:
        return
    while reader:
        assert call_score(reader.take()) == 0.0


def test_the_bytes_that_say_it_do_pass():
    """The same way gives full marks to the right value, so that the property above can fail."""
    reader = FrameReader()
    reader.feed(encode({"value": SECRET}))
    assert call_score(reader.take()) == 1.0


class Lines:
    """An examiner's channel whose other end says what it is given, over and over."""

    def __init__(self, replies):
        self._replies, self._at = replies, 0

    def send(self, message):
        json.dumps(message)

    def receive(self):
        self._at += 1
        if self._at > 60:
            raise CandidateEnded("enough")
        if self._at == 1:
            return {"candidate": {"value": [["f", {"o": [0, "function", "<class 'function'>"]}]]}}
        return {"candidate": self._replies[self._at % len(self._replies)]}


def passes(code, replies):
    """Return whether any assert of a test program passes when the candidate answers with ``replies``."""
    request = {"programs": [{"code": code, "framework": ""}], "source": "", "prefix": "", "entry_point": "f"}
    (program,) = Examiner(Lines(replies)).examine(request)["programs"]
    return any(entry["passed"] is True for entry in program["asserts"])


@pytest.mark.parametrize("name", TESTS)
def test_no_answers_pass_a_test_program(name):
    """Whatever a candidate answers to whatever it is asked, no assert on what it cannot know passes."""
    ast.parse(TESTS[name])

    @QUICK
    @given(st.lists(REPLIES, min_size=1, max_size=6))
    def never(replies):
        assert not passes(TESTS[name], replies)

    never()


def test_the_right_answers_pass_a_test_program():
    """The same way lets the right value pass; and where a test asks the candidate alone, its word is taken."""
    assert passes(TESTS["equals"], [{"value": SECRET}])
    assert passes("assert f(1)", [{"value": True}])
