"""Grades the shape of a response: length, repetition, scripts, form. What it says does not count."""

import math
import re
import string
from collections.abc import Callable, Iterator
from functools import lru_cache

from reward_server.graders.answers import FormatRules, format_checks, visible_text
from reward_server.graders.text_normalization import UNSPACED, script_of, shows_nothing, without_invisible
from reward_server.tasks import shaping as records
from reward_server.tasks.shaping import LengthUnit, ShapingTask
from reward_server.verdict import Check, Ruling, Verdict, ruling_for, weighted_share
from sandboxes.base import Execution, Job, Limits

_DEFAULT_NGRAM, _DEFAULT_ALLOWED_SHARE = 4, 0.1
_WORD = re.compile(f"[{UNSPACED}]|[^\\s{UNSPACED}]+")
"""A character of a script without spaces, or a stretch of others."""
_LONGEST_WORD = 30
"""Characters; a longer stretch is counted by characters: text without spaces repeats itself, too."""
_BASE, _MODULUS = 1_000_003, (1 << 61) - 1
"""Of the numbers by which n-grams are told apart."""
_LENGTHS: dict[LengthUnit, Callable[[str], int]] = {
    LengthUnit.CHARACTERS: len,
    LengthUnit.WORDS: lambda text: len(text.split()),
    LengthUnit.LINES: lambda text: sum(1 for line in text.split("\n") if line.strip()),
}
_SHOWN_LENGTHS: dict[LengthUnit, Callable[[str], int]] = {
    **_LENGTHS,
    LengthUnit.CHARACTERS: lambda text: len(" ".join(text.split())),
}
"""The same of a text without invisible characters: what padding adds nothing to."""


class Shaping:
    """Implements `Grader` for `ShapingTask`."""

    name = "shaping"
    version = "2"

    def prepare(self, task: ShapingTask, limits: Limits) -> Job | None:
        """Nothing needs to run ahead."""
        del task, limits
        return None

    def plan(self, task: ShapingTask, response: str, limits: Limits) -> Verdict:
        """Look at the response."""
        del limits
        if shows_nothing(visible_text(response) if task.visible_only else response):
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="A text that shows nothing has no shape.")
        checks = shaping_checks(task, response)
        score = weighted_share(checks)
        low = [check.name for check in checks if check.score < 1.0 and check.weight > 0.0]
        summary = f"The shape falls short in: {', '.join(low)}." if low else "The shape is as asked for."
        return Verdict(score=score, ruling=ruling_for(score), summary=summary, checks=checks)

    def judge(self, task: ShapingTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Never asked: `plan` gives the verdict."""
        raise NotImplementedError


GRADER = Shaping()


def shaping_checks(task: ShapingTask, response: str) -> tuple[Check, ...]:
    """Return one check for each rule of ``task`` that is set."""
    text = visible_text(response) if task.visible_only else response
    length, unit = _LENGTHS[task.unit](text), task.unit.value
    checks: list[Check] = []
    if task.length:
        shown = _SHOWN_LENGTHS[task.unit](without_invisible(text))
        score = min(length_score(task.length, length), length_score(task.length, min(shown, length), longest=False))
        checks.append(_check("length", score, task.length.weight, f"{length} {unit}, {shown} of them shown"))
    if task.overlong:
        score = overlong_score(task.overlong, length)
        checks.append(_check("overlong", score, task.overlong.weight, f"{length} {unit} of {task.overlong.maximum}"))
    if task.cosine:
        score = cosine_score(task.cosine, length)
        checks.append(_check("cosine", score, task.cosine.weight, f"{length} {unit} of {task.cosine.maximum}"))
    if task.repetition:
        share = repeated_share(text, task.repetition.ngram or _DEFAULT_NGRAM)
        score = repetition_score(task.repetition, share)
        checks.append(_check("repetition", score, task.repetition.weight, f"a share of {share:.3f} is repeated"))
    if task.scripts:
        share = script_share(text, frozenset(task.scripts.allowed))
        score = share if share >= (task.scripts.zero_below or 0.0) else 0.0
        detail = f"a share of {share:.3f} of the letters is {' or '.join(task.scripts.allowed)}"
        checks.append(_check("scripts", score, task.scripts.weight, detail))
    if task.format:
        checks += _format(task.format, response)
    return tuple(checks)


def _check(name: str, score: float, weight: float | None, detail: str) -> Check:
    return Check(name, min(1.0, max(0.0, score)), 1.0 if weight is None else weight, detail)


def length_score(rule: records.LengthRange, length: int, *, longest: bool = True) -> float:
    """Return 1 within the range, less outside it; without ``longest`` only what is too short counts."""
    over = max(rule.minimum - length, length - rule.maximum if longest and rule.maximum is not None else 0, 0)
    if over == 0:
        return 1.0
    return max(0.0, 1.0 - over / rule.margin) if rule.margin else 0.0


def overlong_score(rule: records.SoftOverlong, length: int) -> float:
    """Return 1 plus the penalty of DAPO's equation 13, which is in [-1, 0]."""
    if length >= rule.maximum and not (rule.buffer == 0 and length == rule.maximum):
        return 0.0
    over = length - (rule.maximum - rule.buffer)
    return 1.0 if over <= 0 else 1.0 - over / rule.buffer


def cosine_score(rule: records.CosineLength, length: int) -> float:
    """Return half a cosine's value at ``length``; beyond the maximum 0, where a bare cosine would rise again."""
    if length > rule.maximum:
        return 0.0
    start = 1.0 if rule.score_at_zero is None else rule.score_at_zero
    end = 0.5 if rule.score_at_maximum is None else rule.score_at_maximum
    return end + (start - end) * (1.0 + math.cos(math.pi * length / rule.maximum)) / 2.0


def repeated_share(text: str, size: int) -> float:
    """Return the share of n-grams of words that occurred before; 0 for texts shorter than one.

    Case, invisible characters and the signs around a word make no other word of it. N-grams are told apart by a
    rolling hash: a tuple for each would hold the interpreter for long.
    """
    numbers: dict[str, int] = {}
    words = [numbers.setdefault(word, len(numbers) + 1) for word in _words(without_invisible(text).casefold())]
    if len(words) < size:
        return 0.0
    first, value, seen = pow(_BASE, size, _MODULUS), 0, set()
    for position, number in enumerate(words):
        leaving = words[position - size] * first if position >= size else 0
        value = (value * _BASE + number - leaving) % _MODULUS
        if position >= size - 1:
            seen.add(value)
    return 1.0 - len(seen) / (len(words) - size + 1)


def _words(text: str) -> Iterator[str]:
    for found in _WORD.finditer(text):
        if len(found[0]) > _LONGEST_WORD:
            yield from found[0]
        else:
            yield found[0].strip(string.punctuation) or found[0]


def repetition_score(rule: records.Repetition, share: float) -> float:
    """Return 1 up to the allowed share, and from there a straight line to 0 at 1."""
    allowed = _DEFAULT_ALLOWED_SHARE if rule.allowed_share is None else rule.allowed_share
    return min(1.0, (1.0 - share) / (1.0 - allowed))


def script_share(text: str, allowed: frozenset[str]) -> float:
    """Return the share of letters in the allowed scripts; 1 without letters."""
    letters = [character for character in without_invisible(text) if character.isalpha()]
    return sum(_script(letter) in allowed for letter in letters) / len(letters) if letters else 1.0


_script = lru_cache(maxsize=1 << 16)(script_of)


def _format(rules: records.FormatRules, response: str) -> list[Check]:
    asked = FormatRules(
        tags=rules.tags,
        only_tags=rules.only_tags,
        fenced_block=rules.fenced_block,
        fence_language=rules.fence_language,
        boxed=rules.boxed,
        nothing_after=rules.nothing_after,
        only_json=rules.only_json,
    )
    return [_check(found.name, found.score, rules.weight, found.detail) for found in format_checks(response, asked)]
