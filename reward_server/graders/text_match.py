"""Grades a text by its likeness to references.

Everything is settled here: past a bound on its length no measure takes more than linear time in the response.
"""

import unicodedata
from functools import lru_cache
from typing import Any

import re2

from reward_server.graders.answers import Extraction, answer_tag, final_answer, visible_text, without_empty_answers
from reward_server.graders.text_measures import similarity
from reward_server.graders.text_normalization import cuts_word, normalized, occurs_as_words
from reward_server.tasks.text_match import TextMatchTask, TextMeasure, TextSubject, pattern_options
from reward_server.verdict import Check, Flag, Ruling, Verdict, clip, ruling_for
from sandboxes.base import Execution, Job, Limits

MAX_COMPARED_CHARACTERS = 65_536
"""Of a response, for similarities."""
MAX_COMPARED_WITH_ALL = 1 << 20
"""Of a response, times the number of references."""
_QUOTED = 200


class TextMatch:
    """Implements `Grader` for `TextMatchTask`."""

    name = "text_match"
    version = "3"

    def prepare(self, task: TextMatchTask, limits: Limits) -> Job | None:
        """Nothing needs to run ahead."""
        del task, limits
        return None

    def plan(self, task: TextMatchTask, response: str, limits: Limits) -> Verdict:
        """Compare the response with every reference; the best counts."""
        del limits
        found = _subject(task, response)
        text = _normalized(task, found.text or "")
        references = (task.expected, *task.accepted)
        if not (text or (_plain(task, found.text or "") and not all(_reference(task, one) for one in references))):
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="The response has no text to compare.")
        if len({_normalized(task, candidate) for candidate in found.candidates}) > 1:
            return _hedged(found)
        if spoiled := [text_ for text_ in task.forbidden if _occurs(_reference(task, text_), text)]:
            detail = f"it contains {clip(spoiled[0], _QUOTED)!r}"
            return _verdict(0.0, detail, (Check("forbidden", 0.0, 1.0, detail),))
        score, detail = max(_compared(task, found.text or "", text, reference) for reference in references)
        return _verdict(_scaled(task, score), detail, (Check(task.measure.value, _scaled(task, score), 1.0, detail),))

    def judge(self, task: TextMatchTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Never asked: `plan` gives the verdict."""
        raise NotImplementedError


GRADER = TextMatch()


def _subject(task: TextMatchTask, response: str) -> Extraction:
    match task.subject:
        case TextSubject.FINAL_ANSWER:
            return final_answer(response)
        case TextSubject.RAW:
            return Extraction(response, "bare")
        case TextSubject.VISIBLE:
            visible = visible_text(response)
            tagged = answer_tag(visible)
            return Extraction(without_empty_answers(visible) if tagged is None else tagged, "bare")


def _normalized(task: TextMatchTask, text: str) -> str:
    return normalized(text, **_options(task))


def _reference(task: TextMatchTask, text: str) -> str:
    """Return a text of the task as it is compared: the same for every response."""
    return _remembered(text, **_options(task))


_remembered = lru_cache(maxsize=2_048)(normalized)


def _options(task: TextMatchTask) -> dict[str, bool]:
    return {
        "ignore_case": task.ignore_case,
        "ignore_punctuation": task.ignore_punctuation,
        "ignore_articles": task.ignore_articles,
        "keep_white_space": task.keep_white_space,
    }


def _plain(task: TextMatchTask, text: str) -> str:
    """Return ``text`` with its punctuation and articles."""
    return normalized(text, **{**_options(task), "ignore_punctuation": False, "ignore_articles": False})


def _occurs(wanted: str, text: str) -> bool:
    return bool(wanted) and occurs_as_words(text, wanted)


def _compared(task: TextMatchTask, raw: str, text: str, reference: str) -> tuple[float, str]:
    """Return how well ``text``, which is ``raw`` normalized, matches one reference, and a sentence about it."""
    wanted, quoted = _reference(task, reference), repr(clip(reference, _QUOTED))
    if task.measure is TextMeasure.REGEX:
        matches = _pattern(reference, ignore_case=task.ignore_case).fullmatch(_for_pattern(task, raw)) is not None
        return _yes_no(matches, f"matches {quoted}", f"does not match {quoted}")
    if not wanted:  # it is only what is left out elsewhere
        text, wanted = _plain(task, raw), _plain(task, reference)
    match task.measure:
        case TextMeasure.EQUAL:
            return _yes_no(text == wanted, f"is {quoted}", f"{clip(text, _QUOTED)!r} is not {quoted}")
        case TextMeasure.CONTAINS:
            return _yes_no(_occurs(wanted, text), f"contains {quoted}", f"does not contain {quoted}")
        case TextMeasure.STARTS_WITH:
            starts = bool(wanted) and text.startswith(wanted) and not cuts_word(text, len(wanted), wanted)
            return _yes_no(starts, f"begins with {quoted}", f"does not begin with {quoted}")
        case TextMeasure.ENDS_WITH:
            ends = bool(wanted) and text.endswith(wanted) and not cuts_word(text, len(text) - len(wanted), wanted)
            return _yes_no(ends, f"ends with {quoted}", f"does not end with {quoted}")
    if len(text) > min(MAX_COMPARED_CHARACTERS, MAX_COMPARED_WITH_ALL // task.comparisons):
        return 0.0, f"{len(text)} characters are too many to be alike"
    score = similarity(task.measure, text, wanted)
    return score, f"{task.measure.value} with {quoted} is {score:.4f}"


@lru_cache(maxsize=512)
def _pattern(pattern: str, *, ignore_case: bool) -> Any:
    composed = unicodedata.normalize("NFC", pattern)
    return re2.compile(f"(?i:{composed})" if ignore_case else composed, pattern_options())


def _for_pattern(task: TextMatchTask, raw: str) -> str:
    """Return what a pattern is held against; whether case counts is the pattern's business.

    RE2 reads UTF-8, which has no halves of characters.
    """
    whole = raw.encode("utf-8", "replace").decode("utf-8")
    return normalized(whole, **{**_options(task), "ignore_case": False})


def _yes_no(holds: bool, yes: str, no: str) -> tuple[float, str]:  # noqa: FBT001 - the question's answer
    return (1.0, yes) if holds else (0.0, no)


def _scaled(task: TextMatchTask, score: float) -> float:
    if score >= (1.0 if task.full_from is None else task.full_from):
        return 1.0
    return score if score >= (task.zero_below or 0.0) else 0.0


def _verdict(score: float, detail: str, checks: tuple[Check, ...]) -> Verdict:
    return Verdict(score=score, ruling=ruling_for(score), summary=f"The text: {detail}.", checks=checks)


def _hedged(found: Extraction) -> Verdict:
    detail = "; ".join(clip(candidate, 60) for candidate in dict.fromkeys(found.candidates[:20]))
    return Verdict(
        score=0.0,
        ruling=Ruling.NO_ANSWER,
        summary=f"Several different final answers are no answer: {detail}.",
        checks=(Check("single_answer", 0.0, 1.0, detail),),
        flags=(Flag("hedged_answer", detail),),
    )
