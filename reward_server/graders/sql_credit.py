"""The verdicts of `sql_query`: what a comparison and a query's parts are worth, one check each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reward_server.verdict import Check, Flag, Ruling, Verdict, clip, ruling_for, weighted_share

_KINDS = ("tables", "joins", "columns", "filters", "grouping", "aggregation", "ordering")
_PARSES, _RUNS, _STRUCTURE, _WIDTH, _ROWS, _EQUAL = 0.5, 0.5, 3.0, 1.0, 3.0, 2.0
_MAX_EFFICIENCY_LOSS = 0.2
_RULINGS = {
    "forbidden": Ruling.FORBIDDEN,
    "time": Ruling.TIME_LIMIT,
    "memory": Ruling.MEMORY_LIMIT,
    "output": Ruling.OUTPUT_LIMIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How a result compares with the expected one."""

    equal: bool
    ordered: bool = False
    names_fit: bool = True
    width: int = 0
    expected_width: int = 0
    shared_columns: int = 0
    rows: int = 0
    expected_rows: int = 0
    precision: float = 0.0
    recall: float = 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall of the rows; in [0, 1]."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def accepted(comparison: Comparison, steps: int, reference_steps: int, max_ratio: float | None) -> Verdict:
    """The results agree. Beyond ``max_ratio`` times the reference's steps up to a fifth of the score is lost."""
    checks = [
        Check("parses", 1.0, _PARSES),
        Check("runs", 1.0, _RUNS),
        Check("result_columns", 1.0, _WIDTH, f"{comparison.expected_width} columns"),
        Check("row_f1", 1.0, _ROWS, f"{comparison.expected_rows} rows"),
        Check("equal", 1.0, _EQUAL),
    ]
    summary = "The query returns what the reference returns."
    if max_ratio is not None:
        allowed = max_ratio * max(reference_steps, 1_000)
        weight = sum(check.weight for check in checks) * _MAX_EFFICIENCY_LOSS / (1 - _MAX_EFFICIENCY_LOSS)
        detail = f"{steps} steps, the reference takes {reference_steps}"
        checks.append(Check("efficiency", min(1.0, allowed / max(steps, 1)), weight, detail))
    score = weighted_share(checks)
    return Verdict(score=score, ruling=ruling_for(score), summary=summary, checks=tuple(checks))


def partly_right(comparison: Comparison, where: str, mine: Any, theirs: Any, *, hardcoded: bool) -> Verdict:
    """The results differ ``where``; ``hardcoded`` says that they agree on the database that was given."""
    checks = [
        Check("parses", 1.0, _PARSES),
        Check("runs", 1.0, _RUNS),
        *_structure(mine, theirs),
        _columns_check(comparison),
        Check("row_precision", comparison.precision, 0.0, f"share of the {comparison.rows} rows that are expected"),
        Check("row_recall", comparison.recall, 0.0, f"share of the {comparison.expected_rows} expected rows"),
        Check("row_f1", comparison.f1, _ROWS, f"{comparison.rows} rows for {comparison.expected_rows}{where}"),
        Check("equal", 0.0, _EQUAL, _difference(comparison) + where),
    ]
    if not any(check.score for check in checks[2:]):  # that something runs is worth nothing by itself
        checks = [Check(check.name, 0.0, check.weight, check.detail) for check in checks]
    score = weighted_share(checks)
    summary = f"{_difference(comparison)}{where}: {comparison.rows} rows, {comparison.expected_rows} expected."
    flags = (Flag("hardcoded_result", f"right on the given database, not{where}"),) if hardcoded else ()
    return Verdict(
        score=score,
        ruling=ruling_for(score),
        summary=summary[0].upper() + summary[1:],
        checks=tuple(checks),
        flags=flags,
    )


def written_down(why: str, compared: Sequence[Comparison]) -> Verdict:
    """The result does not follow from the data: worth nothing, even where it is right."""
    agrees = all(comparison.equal for comparison in compared)
    return Verdict(
        score=0.0,
        ruling=Ruling.WRONG_ANSWER,
        summary=f"The result does not follow from the data: {why}.",
        checks=(Check("follows_data", 0.0, 1.0, why),),
        flags=(Flag("hardcoded_result", why),) if agrees else (),
    )


def failed_run(kind: str, message: str, mine: Any, theirs: Any) -> Verdict:
    """A query that does not run earns at most a third, for its structure; one that may not run, nothing."""
    ruling = _RULINGS.get(kind, Ruling.RUNTIME_ERROR)
    parses = kind != "syntax"
    structure = _structure(mine, theirs) if ruling is Ruling.RUNTIME_ERROR and parses else []
    earns = any(check.score for check in structure)
    checks = (
        Check("parses", float(parses and earns), _PARSES, "" if parses else message),
        Check("runs", 0.0, _RUNS, message),
        *structure,
        Check("result_columns", 0.0, _WIDTH),
        Check("row_f1", 0.0, _ROWS),
        Check("equal", 0.0, _EQUAL),
    )
    score = weighted_share(checks)
    summary = f"The query failed: {clip(message, 300)}"
    return Verdict(score=score, ruling=ruling_for(score, ruling), summary=summary, checks=checks)


def untranslatable(message: str) -> Verdict:
    """SQL of its dialect that SQLite cannot say: worth nothing, and flagged, because it might be right.

    No Failure: the task's own references can be said, and a response must not be able to choose not to be graded.
    """
    verdict = failed_run("runtime", f"it cannot be translated faithfully: {message}", None, None)
    return replace(verdict, flags=(Flag("untranslatable", message),))


def _difference(comparison: Comparison) -> str:
    if comparison.width != comparison.expected_width:
        return f"{comparison.width} columns instead of {comparison.expected_width}"
    if not comparison.names_fit:
        return "the names of the columns differ"
    if comparison.ordered and comparison.f1 == 1.0:
        return "the order of the rows differs"
    return "the rows differ"


def _columns_check(comparison: Comparison) -> Check:
    width = max(comparison.width, comparison.expected_width, 1)
    detail = (
        f"{comparison.width} columns for {comparison.expected_width}, {comparison.shared_columns} hold the same cells"
    )
    return Check("result_columns", comparison.shared_columns / width, _WIDTH, detail)


def _structure(mine: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None) -> list[Check]:
    """Return one check per kind of part that the reference or the response has; all together weigh the same."""
    if not mine or not theirs:
        return []
    kinds = [kind for kind in _KINDS if mine[kind] or theirs[kind]]
    return [_part(kind, mine[kind], theirs[kind], _STRUCTURE / len(kinds)) for kind in kinds]


def _part(kind: str, mine: Sequence[str], theirs: Sequence[str], weight: float) -> Check:
    have, want = set(mine), set(theirs)
    score = 2 * len(have & want) / (len(have) + len(want))
    missing, extra = ", ".join(sorted(want - have)), ", ".join(sorted(have - want))
    detail = "; ".join(text for text in (missing and f"missing: {missing}", extra and f"extra: {extra}") if text)
    if kind == "ordering" and score == 1.0 and list(mine) != list(theirs):
        return Check(kind, 0.5, weight, "the sort keys are in another order")
    return Check(kind, score, weight, detail)
