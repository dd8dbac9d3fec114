"""slime's `--rm-type remote_rm`: the answer is the reward itself.

A number; or, with ``?reward_key=KEY`` in the URL and slime's ``--reward-key KEY``, an object with it. A Failure is the
status of the call: the client tries ten times and then fails the rollout.
"""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reward_server.gateway.desk import Desk, read


@dataclass(frozen=True, slots=True, kw_only=True)
class SlimeSample:
    """The body."""

    response: str
    label: Any = None
    prompt: Any = None


@dataclass(frozen=True, slots=True)
class Slime:
    """The handler."""

    desk: Desk

    async def reward(self, request: Request) -> Response:
        """Grade one response."""
        asked = await read(request, SlimeSample)
        task = self.desk.task(request, asked.label, "label")
        verdict = await self.desk.verdict(request, task, asked.response)
        if key := request.query_params.get("reward_key"):
            accepted = float(verdict.score == 1.0)
            return JSONResponse({"ruling": verdict.ruling.value, "accepted": accepted, key: verdict.score})
        return JSONResponse(verdict.score)
