"""OpenRLHF's `--reward.remote_url`: lists in, lists out, empty ones too.

A Failure of any sample is the status of the call: the client tries five times and then has no reward for the sample.
"""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reward_server.gateway.desk import Desk, read
from reward_server.gateway.failures import NotGradedError
from reward_server.statuses import RequestError
from reward_server.verdict import Failure

_ENDINGS = (
    "<|im_end|>",
    "<|endoftext|>",
    "</s>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|end|>",
    "<end_of_turn>",
    "<eos>",
    "<pad>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "[EOS]",
    "[PAD]",
)
"""Special tokens that stand at the end of a query, which is decoded with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """The body: whole texts, the prompts they begin with, and what is right."""

    query: list[str]
    prompts: list[str] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OpenRLHF:
    """The handler."""

    desk: Desk

    async def rewards(self, request: Request) -> Response:
        """Grade every query."""
        asked = await read(request, Queries)
        for name, items in (("prompts", asked.prompts), ("labels", asked.labels)):
            if len(items) != len(asked.query):
                raise RequestError(f"{name}: {len(items)} items for {len(asked.query)} of query")
        if not asked.query:
            return JSONResponse({"rewards": [], "scores": [], "extra_logs": {"accepted": []}})
        pairs = [
            (self.desk.task(request, label, f"labels[{i}]"), _response(query, prompt, i))
            for i, (query, prompt, label) in enumerate(zip(asked.query, asked.prompts, asked.labels, strict=True))
        ]
        scores = []
        for result in await self.desk.grade(request, pairs):
            if isinstance(result, Failure):
                raise NotGradedError(result)
            scores.append(result.score)
        accepted = [float(score == 1.0) for score in scores]
        return JSONResponse({"rewards": scores, "scores": scores, "extra_logs": {"accepted": accepted}})


def _response(query: str, prompt: str, position: int) -> str:
    """Return what follows the prompt, without the special tokens at the end."""
    found = query.find(prompt)
    if found < 0:
        raise RequestError(f"query[{position}]: does not contain prompts[{position}], so the response cannot be told")
    return without_endings(query[found + len(prompt) :])


def without_endings(response: str) -> str:
    """Return ``response`` without special tokens at its end."""
    text = response.rstrip()
    while ending := next((ending for ending in _ENDINGS if text.endswith(ending)), ""):
        text = text[: -len(ending)].rstrip()
    return text
