"""Composites: pure combination of verdicts."""

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from reward.v1 import composite_pb2

from reward_server import wire
from reward_server.errors import InvalidTaskError
from reward_server.graders.composite import GRADER
from reward_server.tasks.composite import Combination, CompositePart, CompositeTask
from reward_server.tasks.text_match import TextMatchTask
from reward_server.verdict import Check, Flag, Ruling, Verdict, ruling_for

SCORES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6)


def part(number, **changes):
    return CompositePart(**{"name": f"p{number}", "text_match": TextMatchTask(expected="x"), **changes})


def verdict(score, otherwise=Ruling.WRONG_ANSWER):
    return Verdict(score=score, ruling=ruling_for(score, otherwise), summary="so", checks=(Check("c", score),))


def combined(scores, combination=Combination.WEIGHTED_MEAN, **changes):
    task = CompositeTask(parts=tuple(part(i) for i in range(len(scores))), combination=combination, **changes)
    return GRADER.combine(task, [verdict(score) for score in scores])


@pytest.mark.parametrize("combination", [Combination.WEIGHTED_MEAN, Combination.MINIMUM, Combination.PRODUCT])
@given(scores=SCORES, data=st.data())
def test_a_better_part_never_lowers_the_whole(combination, scores, data):
    """Monotone in each part, and full only if every part is."""
    i = data.draw(st.integers(0, len(scores) - 1))
    better = [*scores[:i], data.draw(st.floats(scores[i], 1.0)), *scores[i + 1 :]]
    assert combined(better, combination).score >= combined(scores, combination).score - 1e-12
    assert (combined(scores, combination).ruling is Ruling.ACCEPTED) == all(score == 1.0 for score in scores)


def test_a_closed_gate_gives_its_ruling():
    """What the gate found is why nothing was earned."""
    task = CompositeTask(parts=(part(0), part(1, gate=True)))
    result = GRADER.combine(task, [verdict(1.0), verdict(0.0, Ruling.NO_ANSWER)])
    assert (result.score, result.ruling) == (0.0, Ruling.NO_ANSWER)
    assert "p1" in result.summary


def test_a_gate_that_is_partly_open_is_closed():
    """Its PARTIAL cannot be the ruling of a whole that earned nothing."""
    task = CompositeTask(parts=(part(0), part(1, gate=True)))
    assert GRADER.combine(task, [verdict(1.0), verdict(0.5)]).ruling is Ruling.WRONG_ANSWER


def test_parts_explain_the_whole():
    """One check that counts for each part, and the part's own without weight."""
    checks = combined([1.0, 0.25]).checks
    assert [(check.name, check.score, check.weight) for check in checks] == [
        ("p0", 1.0, 1.0),
        ("p0/c", 1.0, 0.0),
        ("p1", 0.25, 1.0),
        ("p1/c", 0.25, 0.0),
    ]


def test_flags_say_which_part_raised_them():
    """The name stays, the detail names the part."""
    flagged = Verdict(score=1.0, ruling=Ruling.ACCEPTED, summary="", flags=(Flag("early_exit", "x"),))
    assert GRADER.combine(CompositeTask(parts=(part(0),)), [flagged]).flags == (Flag("early_exit", "p0: x"),)


def test_a_formula_without_a_value_makes_the_task_invalid():
    """Division by zero depends on the scores, so it shows only now."""
    with pytest.raises(InvalidTaskError, match="formula"):
        combined([0.0], Combination.FORMULA, formula="1 / p0")


def test_parts_are_the_whole_response_by_other_graders():
    """The engine grades them as samples of their own."""
    (only,) = GRADER.parts(CompositeTask(parts=(part(0),)), "text")
    assert (only.grader, only.response) == ("text_match", None)
    assert only.record == TextMatchTask(expected="x")


@pytest.mark.parametrize(
    ("task", "field"),
    [
        ({"parts": [{"name": "a", "textMatch": {}}]}, "parts[0].text_match.expected"),
        ({"parts": [{"name": "a", "composite": {}}]}, "parts[0].composite.parts"),
        ({"parts": [{"name": "a", "shaping": {"cosine": {}}}]}, "parts[0].shaping.cosine.maximum"),
        ({"parts": [{"name": "", "textMatch": {"expected": "x"}}]}, "parts[0].name"),
    ],
)
def test_what_is_wrong_in_a_part_is_told_by_its_path(task, field):
    """From the composite down to the field."""
    message = json_format.ParseDict(task, composite_pb2.CompositeTask())
    with pytest.raises(InvalidTaskError) as caught:
        wire.record(message, CompositeTask)
    assert caught.value.field == field
