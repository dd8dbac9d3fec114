"""What a sample gets that was run several times: the same verdict, or evidence of who is to blame."""

from dataclasses import replace

from reward_server.errors import InvalidTaskError
from reward_server.verdict import Flag, Verdict


def steady(first: Verdict, second: Verdict, *, task_is_steady: bool) -> Verdict:
    """Return what the same sample, run twice, gets.

    Where the task's own reference gave the same twice, a difference is the response's doing: the lower verdict counts,
    and is flagged, for no response may choose to go ungraded. Else the task may be to blame: raises
    `InvalidTaskError`, with the evidence.
    """
    try:
        _require_same(first, second)
    except InvalidTaskError as error:
        if not task_is_steady:
            raise
        lower = min(first, second, key=lambda verdict: verdict.score)
        return replace(lower, flags=(*lower.flags, Flag("unsteady_response", error.reason)))
    return first


def _require_same(first: Verdict, second: Verdict) -> None:
    """Raise `InvalidTaskError` with the evidence when the same sample got two verdicts."""
    mine, theirs = ([(check.name, check.score) for check in verdict.checks] for verdict in (first, second))
    if (first.ruling, first.score, mine) == (second.ruling, second.score, theirs):
        return
    differing = [f"{name}: {a} and {b}" for (name, a), (_, b) in zip(mine, theirs, strict=False) if a != b]
    evidence = "; ".join(differing[:5]) or f"{first.summary} / {second.summary}"
    grades = " and ".join(f"{verdict.score:g} ({verdict.ruling})" for verdict in (first, second))
    raise InvalidTaskError("", f"the same sample was graded {grades}: {evidence}")
