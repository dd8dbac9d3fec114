"""eval-protocol's `/evaluate`: a conversation and its ground truth in, an EvaluateResult out.

A Failure is a result whose score does not count: ``is_score_valid`` is false and ``error`` says why.
"""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reward_server.gateway.desk import Desk, read
from reward_server.gateway.failures import eval_protocol_result
from reward_server.gateway.messages import last_response
from reward_server.verdict import Failure, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The body. ``kwargs.task`` is a task, and stands before the ground truth."""

    messages: list[Any]
    ground_truth: Any = None
    kwargs: dict[str, Any] | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvalProtocol:
    """The handler."""

    desk: Desk

    async def evaluate(self, request: Request) -> Response:
        """Grade the last message."""
        asked = await read(request, Evaluation)
        given = (asked.kwargs or {}).get("task")
        label, path = (asked.ground_truth, "ground_truth") if given is None else (given, "kwargs.task")
        task = self.desk.task(request, label, path)
        (result,) = await self.desk.grade(request, [(task, last_response(asked.messages, "messages"))])
        return JSONResponse(eval_protocol_result(result) if isinstance(result, Failure) else _evaluated(result))


def _evaluated(verdict: Verdict) -> dict[str, Any]:
    return {
        "score": verdict.score,
        "is_score_valid": True,
        "reason": f"{verdict.ruling.value}: {verdict.summary}",
        "metrics": {
            check.name: {"is_score_valid": True, "score": check.score, "reason": check.detail}
            for check in verdict.checks
        },
    }
