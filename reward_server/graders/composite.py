"""Grades by other graders: gates, then one number from the parts' scores."""

import math
from collections.abc import Collection, Sequence

from reward_server.formula import FormulaError, evaluate, parse
from reward_server.graders.base import Part
from reward_server.tasks.composite import Combination, CompositePart, CompositeTask
from reward_server.verdict import Check, Flag, Ruling, Verdict, ruling_for, weighted_share

_DIGITS = 12
"""Decimals of a score that count here: 0.7 + 0.2 + 0.1 is 1, and 0.1 + 0.2 opens a gate at 0.3."""


class Composite:
    """Implements `CompositeGrader` for `CompositeTask`."""

    name = "composite"
    version = "2"

    def parts(self, task: CompositeTask, response: str) -> Sequence[Part]:
        """Return every part over the whole response."""
        del response
        return [Part(grader=part.grader, record=part.record) for part in task.parts]

    def combine(self, task: CompositeTask, verdicts: Sequence[Verdict]) -> Verdict:
        """Return the verdict on the whole: a closed gate decides, else the combination of the scores."""
        pairs = list(zip(task.parts, verdicts, strict=True))
        flags = tuple(Flag(flag.name, f"{part.name}: {flag.detail}") for part, one in pairs for flag in one.flags)
        closed = next(((part, one) for part, one in pairs if part.gate and not _opens(part, one.score)), None)
        undefined, score = "", 0.0
        try:
            score = 0.0 if closed else _combined(task, verdicts)
        except FormulaError as error:  # it has a value for others: a response must not choose to go ungraded
            undefined = str(error)
            flags = (*flags, Flag("formula_undefined", undefined))
        if undefined:
            summary = f"The formula has no value for these scores: {undefined}."
        elif closed:
            summary = f"The gate {closed[0].name} is closed: {closed[1].summary}"
        else:
            summary = f"{task.combination.value} of {', '.join(f'{p.name} {v.score:.3g}' for p, v in pairs)}."
        return Verdict(
            score=score,
            ruling=ruling_for(score, _ruling_of_zero(closed[1] if closed else None, verdicts)),
            summary=summary,
            checks=_checks(pairs),
            flags=flags,
        )


GRADER = Composite()


def _combined(task: CompositeTask, verdicts: Sequence[Verdict]) -> float:
    pairs = list(zip(task.parts, verdicts, strict=True))
    counted = [verdict.score for part, verdict in pairs if part.share > 0]
    match task.combination:
        case Combination.WEIGHTED_MEAN:
            return weighted_share(Check(part.name, verdict.score, part.share) for part, verdict in pairs)
        case Combination.MINIMUM:
            return min(counted)
        case Combination.PRODUCT:
            return math.prod(counted)
        case Combination.FORMULA:
            scores = {part.name: verdict.score for part, verdict in pairs}
            return _rounded(evaluate(parse(task.formula), scores), scores.values())


def _rounded(value: float, scores: Collection[float]) -> float:
    """Return a formula's value in [0, 1] without the rounding errors of its sums.

    A part that is just short of full marks stays so.
    """
    rounded = min(1.0, max(0.0, round(value, _DIGITS)))
    short = any(round(score, _DIGITS) == 1.0 != score for score in scores)
    return min(rounded, math.nextafter(1.0, 0.0)) if short and value < 1.0 else rounded


def _opens(gate: CompositePart, score: float) -> bool:
    """Return whether ``score`` opens the gate: one at 1 by full marks alone, others but for rounding errors."""
    if gate.opens_at == 1.0:
        return score == 1.0
    return round(score, _DIGITS) >= round(gate.opens_at, _DIGITS)


def _ruling_of_zero(closed: Verdict | None, verdicts: Sequence[Verdict]) -> Ruling:
    """Return why nothing was earned: the closed gate's ruling, or the first part's that earned nothing."""
    at_fault = closed or next((verdict for verdict in verdicts if verdict.score == 0.0), None)
    if at_fault is None or at_fault.ruling in (Ruling.PARTIAL, Ruling.ACCEPTED):
        return Ruling.WRONG_ANSWER
    return at_fault.ruling


def _checks(pairs: Sequence[tuple[CompositePart, Verdict]]) -> tuple[Check, ...]:
    """Return one check for each part, which counts, and the part's own checks, which inform."""
    checks: list[Check] = []
    for part, verdict in pairs:
        checks.append(Check(part.name, verdict.score, part.share, f"{verdict.ruling.value}: {verdict.summary}"))
        checks += [Check(f"{part.name}/{check.name}", check.score, 0.0, check.detail) for check in verdict.checks]
    return tuple(checks)
