"""An OpenEnv environment of one step: reset with a task gives its prompt, a step with a response gives the reward.

Over `/ws` each connection is a session; `/reset` and `/step` are for trying out, and their episodes are remembered by
their id as long as there is room. A Failure is never a reward: over HTTP it is a status, over WebSocket an error.
"""

import asyncio
import logging
import uuid
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from reward.v1 import sample_pb2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from reward_server.admission import Call
from reward_server.gateway.desk import Desk, converted, decoded, read
from reward_server.gateway.failures import NotGradedError
from reward_server.memory import Memory
from reward_server.scoring import QueueFullError
from reward_server.statuses import DrainingError, RequestError
from reward_server.verdict import Verdict
from sandboxes.base import MIB

MAX_SESSIONS = 4_096
"""WebSocket connections at once."""
_EPISODES_BYTES = 64 * MIB
"""What the episodes remembered for HTTP may weigh, by their tasks."""
_EPISODE_BYTES = 2_000
"""About what one weighs beside its task."""
_MAX_ID = 255
_UNSUPPORTED_DATA = 1003
_AHEAD = 2
"""How many messages of a connection may wait."""
_log = logging.getLogger(__name__)
_TEXT = {"type": "string"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """What an episode begins with: a task or a label, and what the model is asked."""

    task: Any = None
    label: Any = None
    label_task: str = ""
    prompt: Any = None
    episode_id: str | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a step is: a response. The task may come with it, where there was no reset."""

    response: str
    task: Any = None
    label: Any = None
    label_task: str = ""
    episode_id: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The body of `/step`."""

    action: Action
    timeout_s: float | None = None
    request_id: str | None = None
    episode_id: str = ""


@dataclass(slots=True)
class Episode:
    """One task being answered."""

    episode_id: str
    task: sample_pb2.Task
    step_count: int = 0
    done: bool = False

    def state(self) -> dict[str, Any]:
        """Return OpenEnv's State."""
        return {"episode_id": self.episode_id, "step_count": self.step_count, "done": self.done}


class OpenEnv:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._episodes: Memory[str, Episode] = Memory(_EPISODES_BYTES)
        self._last = ""
        self._sessions = 0

    async def reset(self, request: Request) -> Response:
        """Begin an episode."""
        asked = await read(request, Reset) if await request.body() else Reset()
        episode = self._begin(asked)
        self._episodes.put(episode.episode_id, episode, _EPISODE_BYTES + episode.task.ByteSize())
        self._last = episode.episode_id
        return JSONResponse(_begun(episode, asked))

    async def step(self, request: Request) -> Response:
        """Grade a response."""
        asked = await read(request, Step)
        episode = self._episode_of(asked)
        call = Call(name="POST /step", peer="http", party=id(request.scope), deadline=_deadline(asked.timeout_s))
        return JSONResponse(await self._graded(call, episode, asked.action.response))

    async def state(self, request: Request) -> Response:
        """Say how an episode stands: that of ``?episode_id=``, or the last one begun."""
        episode = self._episodes.get(request.query_params.get("episode_id", self._last))
        return JSONResponse(episode.state() if episode else {"episode_id": None, "step_count": 0})

    async def metadata(self, _: Request) -> Response:
        """Say what this is."""
        text = "Grades a response to a task in a sandbox: reset with a task, then one step with the response."
        return JSONResponse({"name": "reward-server", "description": text, "version": version("reward-server")})

    async def schema(self, _: Request) -> Response:
        """Describe actions, observations and states."""
        return JSONResponse(SCHEMA)

    async def session(self, socket: WebSocket) -> None:
        """Serve one connection: messages in turn, until it closes."""
        await socket.accept()
        if self._sessions >= MAX_SESSIONS:
            await socket.send_json(_error(f"{MAX_SESSIONS} sessions are open", "CAPACITY_REACHED"))
            await socket.close()
            return
        self._sessions += 1
        texts: asyncio.Queue[str] = asyncio.Queue(_AHEAD)
        conversation = asyncio.ensure_future(self._converse(socket, texts))
        try:
            while True:
                await texts.put(await socket.receive_text())
        except WebSocketDisconnect:
            pass
        except KeyError:  # a message of bytes
            await socket.close(_UNSUPPORTED_DATA)
        finally:
            self._sessions -= 1
            conversation.cancel()  # what nobody waits for any more
            await asyncio.gather(conversation, return_exceptions=True)

    async def _converse(self, socket: WebSocket, texts: asyncio.Queue[str]) -> None:
        episode: Episode | None = None
        while True:
            text = await texts.get()
            try:
                message = decoded(text, dict[str, Any])
                if message.get("type") == "close":
                    await socket.close()
                    return
                episode, answer = await self._answer(socket, episode, message)
            except RequestError as error:
                answer = _error(str(error), "VALIDATION_ERROR")
            except (NotGradedError, QueueFullError, DrainingError) as error:
                answer = _error(str(error) or "the server is draining", _CODES[type(error)])
            except Exception as error:  # noqa: BLE001 - the boundary
                _log.exception("a session could not be answered")
                answer = _error(f"the gateway is defective: {type(error).__name__}", "SESSION_ERROR")
            await socket.send_json(answer)

    async def _answer(
        self, socket: WebSocket, episode: Episode | None, message: dict[str, Any]
    ) -> tuple[Episode | None, dict[str, Any]]:
        data = message.get("data") or {}
        match message.get("type"):
            case "reset":
                asked = converted(data, Reset)
                episode = self._begin(asked)
                return episode, {"type": "observation", "data": _begun(episode, asked)}
            case "step":
                action = converted(data, Action)
                if action.task is not None or action.label is not None:
                    episode = self._begin(_reset_of(action))
                if episode is None:
                    raise RequestError("step: there was no reset with a task")
                call = Call(name="WS /ws step", peer=_peer(socket), party=id(socket))
                return episode, {"type": "observation", "data": await self._graded(call, episode, action.response)}
            case "state":
                return episode, {"type": "state", "data": episode.state() if episode else {"step_count": 0}}
        return episode, _error(f"no message is called {str(message.get('type'))[:80]!r}", "UNKNOWN_TYPE")

    def _begin(self, asked: Reset) -> Episode:
        label, path = (asked.label, "label") if asked.task is None else (asked.task, "task")
        task = self._desk.labels.task(label, path, template=asked.label_task)
        return Episode((asked.episode_id or str(uuid.uuid4()))[:_MAX_ID], task)

    def _episode_of(self, asked: Step) -> Episode:
        if asked.action.task is not None or asked.action.label is not None:
            return self._begin(_reset_of(asked.action))
        name = asked.episode_id or asked.action.episode_id or self._last
        episode = self._episodes.get(name)
        if episode is None:
            raise RequestError(f"episode_id: no episode is called {name[:80]!r}; reset begins one")
        return episode

    async def _graded(self, call: Call, episode: Episode, response: str) -> dict[str, Any]:
        if episode.done:
            raise RequestError("step: the episode is done; reset begins another")
        (graded,) = await self._desk.graded(call, [(episode.task, response)])
        if not isinstance(graded.result, Verdict):
            raise NotGradedError(graded.result)
        episode.step_count, episode.done = episode.step_count + 1, True
        return {"observation": _observed(graded.result), "reward": graded.result.score, "done": True}


SCHEMA: dict[str, Any] = {
    "action": {
        "type": "object",
        "properties": {"response": _TEXT, "task": {}, "label": {}, "label_task": _TEXT, "metadata": {"type": "object"}},
        "required": ["response"],
    },
    "observation": {
        "type": "object",
        "properties": {
            "episode_id": _TEXT,
            "prompt": {},
            "grader": _TEXT,
            "ruling": _TEXT,
            "summary": _TEXT,
            "checks": {"type": "array", "items": {"type": "object"}},
        },
    },
    "state": {
        "type": "object",
        "properties": {"episode_id": _TEXT, "step_count": {"type": "integer"}, "done": {"type": "boolean"}},
    },
}
_CODES = {NotGradedError: "EXECUTION_ERROR", QueueFullError: "CAPACITY_REACHED", DrainingError: "SESSION_ERROR"}


def _reset_of(action: Action) -> Reset:
    return Reset(task=action.task, label=action.label, label_task=action.label_task, episode_id=action.episode_id)


def _begun(episode: Episode, asked: Reset) -> dict[str, Any]:
    grader = episode.task.WhichOneof("grader")
    observation = {"episode_id": episode.episode_id, "prompt": asked.prompt, "grader": grader}
    return {"observation": observation, "reward": None, "done": False}


def _observed(verdict: Verdict) -> dict[str, Any]:
    return {
        "ruling": verdict.ruling.value,
        "summary": verdict.summary,
        "checks": [{"name": check.name, "score": check.score, "detail": check.detail} for check in verdict.checks],
    }


def _error(message: str, code: str) -> dict[str, Any]:
    return {"type": "error", "data": {"message": message, "code": code}}


def _deadline(seconds: float | None) -> float | None:
    if seconds is None:
        return None
    if seconds <= 0:
        raise RequestError(f"timeout_s: {seconds:g} is not above 0")
    return asyncio.get_running_loop().time() + seconds


def _peer(socket: WebSocket) -> str:
    return f"{socket.client.host}:{socket.client.port}" if socket.client else "unknown"
