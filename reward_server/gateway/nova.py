"""The shape of the reward Lambda of AWS Nova: samples in, an aggregate score and metrics out.

One sample or a list of them, as the Lambda gets; put this URL behind a Lambda of a few lines. A Failure is the status
of the call, since the shape has no place for it.
"""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reward_server.gateway.desk import Desk, read
from reward_server.gateway.failures import NotGradedError
from reward_server.gateway.messages import last_response
from reward_server.verdict import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class NovaSample:
    """One sample."""

    messages: list[Any]
    id: str | int = ""
    reference_answer: Any = None


@dataclass(frozen=True, slots=True)
class Nova:
    """The handler."""

    desk: Desk

    async def rewards(self, request: Request) -> Response:
        """Grade a sample, or each of a list."""
        kind: Any = NovaSample | list[NovaSample]
        asked: Any = await read(request, kind)
        samples: list[NovaSample] = asked if isinstance(asked, list) else [asked]
        if not samples:
            return JSONResponse([])
        pairs = []
        for i, sample in enumerate(samples):
            prefix = f"[{i}]." if isinstance(asked, list) else ""
            task = self.desk.task(request, sample.reference_answer, f"{prefix}reference_answer")
            pairs.append((task, last_response(sample.messages, f"{prefix}messages")))
        answers = []
        for sample, result in zip(samples, await self.desk.grade(request, pairs), strict=True):
            if isinstance(result, Failure):
                raise NotGradedError(result)
            answers.append(_answer(sample, result.score))
        return JSONResponse(answers if isinstance(asked, list) else answers[0])


def _answer(sample: NovaSample, score: float) -> dict[str, Any]:
    return {
        "id": sample.id,
        "aggregate_reward_score": score,
        "metrics_list": [
            {"name": "score", "value": score, "type": "Reward"},
            {"name": "accepted", "value": float(score == 1.0), "type": "Metric"},
        ],
    }
