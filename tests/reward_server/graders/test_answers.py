"""Answers found in responses: vectors, and properties of any text at all."""

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors_runner import VECTORS, load

from reward_server.graders.answers import (
    FormatRules,
    extract_code,
    extract_json_text,
    final_answer,
    format_checks,
    visible_text,
)

EVERY_RULE = FormatRules(
    tags=("think", "answer"),
    only_tags=True,
    fenced_block=True,
    fence_language="python",
    boxed=True,
    nothing_after=True,
    only_json=True,
)
PIECES = [
    "\\boxed{", "\\fbox{", "}", "{", "[", "]", '"', "\\", "```", "~~~", "python", "json", "\n", "\r\n", " ", "<think>",
    "</think>", "<reasoning>", "</reasoning>", "<answer>", "</answer>", "####", "The answer is", "Final answer:", "$",
    "\\(", "\\)", "7", "x", ".", "\u2028", "\u0130", "\ud800", "\x00", "select 1", "def f", ":", "*",
]  # fmt: skip
RESPONSES = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=60).map("".join))


def everything(response):
    return [
        final_answer(response),
        extract_json_text(response),
        extract_code(response, ("python",), "f"),
        extract_code(response, ("sql",)),
        format_checks(response, EVERY_RULE),
        visible_text(response),
    ]


@pytest.mark.parametrize("vector", load(VECTORS / "answers.jsonl"), ids=lambda vector: vector["where"])
def test_answers_are_found_as_the_vectors_say(vector):
    """Text, source and flags of each vector, and its candidates where it names them."""
    match vector["kind"]:
        case "final_answer":
            found = final_answer(vector["response"])
        case "extract_json_text":
            found = extract_json_text(vector["response"])
        case "extract_code":
            found = extract_code(vector["response"], vector["languages"], vector["defining"])
    expect = vector["expect"]
    assert (found.text, found.source) == (expect["text"], expect["source"]), vector["why"]
    assert [flag.name for flag in found.flags] == expect["flags"], vector["why"]
    assert list(found.candidates) == expect.get("candidates", list(found.candidates)), vector["why"]


@settings(deadline=None, max_examples=300)
@given(RESPONSES)
def test_no_response_raises(response):
    """Whatever a model writes, lone surrogates and broken tags included."""
    everything(response)


@settings(deadline=None)
@given(RESPONSES)
def test_an_answer_is_among_its_candidates(response):
    """The chosen text is one that was offered, and there is none without a source."""
    for found in (final_answer(response), extract_json_text(response), extract_code(response, ("python",))):
        assert (found.text is None) == (found.source == "")
        assert found.text is None or found.text in found.candidates


@settings(deadline=None)
@given(st.text(alphabet="abc 123+-=,;()\\n", min_size=1).filter(str.strip), st.text(alphabet="xyz .\n"))
def test_a_boxed_answer_is_found_in_any_prose(answer, prose):
    """Prose and thinking around it change nothing."""
    if not answer.strip("\\ \n\t") or answer.endswith("\\") or "\\" in answer:
        return
    found = final_answer(f"<think>\\boxed{{9}}</think>{prose}\\boxed{{{answer}}}{prose}")
    assert found.text == answer.strip()


@settings(deadline=None)
@given(RESPONSES)
def test_thinking_in_front_never_changes_what_is_visible(response):
    """A closed block of thinking before a response without thinking tags is dropped exactly."""
    if "think" in response or "reasoning" in response:
        return
    assert visible_text(f"<think>{response.replace('<', '')}</think>{response}") == response


HOSTILE = [
    "\\boxed{", "\\boxed{}", "\\boxed ", "{}", "[", "{]", '{"', "```\n", "```json ```\n", "~~~x\n",
    "<think>", "</think>",
    "<answer>", "`",
    " ", "\\", "Answer:\n", "final answer is ", "####1\n", "$", "\n{", ". A", "\\\\boxed{a}",
]  # fmt: skip


def steps(response):
    """Return how many Python lines of the package ran: what grows faster than the text shows here."""
    count = 0

    def local(frame, event, arg):
        nonlocal count
        count += 1
        return local

    def trace(frame, event, arg):
        return local if "answers" in frame.f_code.co_filename else None

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        everything(response)
    finally:
        sys.settrace(previous)
    return count


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_grows_no_faster_than_the_response(piece):
    """Twice the text takes at most about twice the steps."""
    short, long = piece * 1_000, piece * 2_000
    assert steps(long) < 2.2 * steps(short) + 1_000


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_of_hostile_text_is_read(piece):
    """It ends; a quadratic scan in a library would take minutes and meet the time limit of tests."""
    everything(piece * (1_000_000 // len(piece)))


def test_candidates_of_a_vector_are_json():
    """The vectors can be read in any language."""
    assert all(json.loads(line) for line in (VECTORS / "answers.jsonl").read_text("utf-8").splitlines())
