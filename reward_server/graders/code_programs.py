"""From what a test program saw to the checks on it: one for each assert statement or test."""

from collections.abc import Iterator, Mapping
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.graders.code_outcomes import ENDINGS, Outcome
from reward_server.verdict import Check, Ruling


def refuse_invalid(facts: Mapping[str, Any], path: str) -> None:
    """Raise `InvalidTaskError` for a test program that cannot run."""
    if facts.get("invalid"):
        raise InvalidTaskError(path, f"the test program cannot run: {facts['invalid']}")


def judge_program(name: str, facts: Mapping[str, Any], kind: str, weight: float, *, hidden: bool) -> Iterator[Outcome]:
    """Yield one outcome per assert or test; one for the whole program when there are none to show."""
    parts = [part for part in facts.get(kind) or () if part["passed"] is not None or facts.get("error")]
    reason = _reason_of_program(facts)
    if not parts:
        detail = str(facts.get("error") or facts.get("detail") or "no assert was reached")
        yield Outcome(Check(name, 0.0, weight, detail), reason, hidden)
    for i, part in enumerate(parts):
        detail = part["detail"]
        if not part["passed"]:
            detail = detail or (f"not reached: {facts['error']}" if part["passed"] is None else part.get("source", ""))
        label = f"{name}[{i}]" if kind == "asserts" else f"{name}::{part['name']}"
        yield Outcome(Check(label, float(part["passed"] is True), weight / len(parts), detail), reason, hidden)


def _reason_of_program(facts: Mapping[str, Any]) -> Ruling:
    for ending in (*facts.get("endings", ()), facts.get("examiner_ended", ""), facts.get("ended", "")):
        if ending in ENDINGS:
            return ENDINGS[ending]
    error = str(facts.get("error", ""))
    if error.startswith("MemoryError"):
        return Ruling.MEMORY_LIMIT
    if facts.get("candidate_ended") or error.startswith(("SyntaxError", "IndentationError")):
        return Ruling.RUNTIME_ERROR
    details = [part["detail"] for part in (*facts.get("asserts", ()), *facts.get("tests", ())) if not part["passed"]]
    return Ruling.RUNTIME_ERROR if error or (details and all(details)) else Ruling.WRONG_ANSWER
