"""The map of paths. Each protocol lies below a prefix of its own, and at its native paths where those are its alone."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from reward_server.gateway.desk import Desk, endpoint
from reward_server.gateway.eval_protocol import EvalProtocol
from reward_server.gateway.failures import SANDBOX_FUSION, USUAL, Statuses, problem
from reward_server.gateway.guards import Guards
from reward_server.gateway.nemo_gym import NemoGym
from reward_server.gateway.nova import Nova
from reward_server.gateway.openai_graders import OpenAIGraders
from reward_server.gateway.openenv import OpenEnv
from reward_server.gateway.openrlhf import OpenRLHF
from reward_server.gateway.reward_api import RewardApi
from reward_server.gateway.sandbox_fusion import SandboxFusion
from reward_server.gateway.slime import Slime

Handler = Callable[[Request], Awaitable[Response]]
Paths = dict[str, tuple[str, Handler]]
"""By path: the method and the handler."""


def application(desk: Desk, *, token: str, loopback_only: bool) -> ASGIApp:
    """Return the gateway as an ASGI application."""
    openenv = OpenEnv(desk)
    routes = [
        *_routes(desk, _own(RewardApi(desk)), USUAL, [""]),
        *_routes(desk, _sandbox_fusion(SandboxFusion(desk)), SANDBOX_FUSION, ["", "/sandbox_fusion"]),
        *_routes(desk, {"/openrlhf": ("POST", OpenRLHF(desk).rewards)}, USUAL, [""]),
        *_routes(desk, {"/slime": ("POST", Slime(desk).reward)}, USUAL, [""]),
        *_routes(desk, {"/nova": ("POST", Nova(desk).rewards)}, USUAL, [""]),
        *_routes(desk, _nemo_gym(NemoGym(desk)), USUAL, ["", "/nemo_gym"]),
        *_routes(desk, {"/evaluate": ("POST", EvalProtocol(desk).evaluate)}, USUAL, ["", "/eval_protocol"]),
        *_routes(desk, _openai(OpenAIGraders(desk)), USUAL, ["", "/openai"]),
        *_routes(desk, _openenv(openenv), USUAL, ["", "/openenv"]),
        *_routes(desk, {"/openenv/health": ("GET", RewardApi(desk).health)}, USUAL, [""]),
        *(WebSocketRoute(path, openenv.session) for path in ("/ws", "/openenv/ws")),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unknown})
    return Guards(app, token=token, max_body_bytes=desk.config.max_message_bytes, loopback_only=loopback_only)


def _own(api: RewardApi) -> Paths:
    return {
        "/": ("GET", api.page),
        "/openapi.json": ("GET", api.openapi),
        "/health": ("GET", api.health),
        "/reward/v1/health": ("GET", api.health),
        "/reward/v1/capabilities": ("GET", api.capabilities),
        "/reward/v1/score": ("POST", api.score),
        "/reward/v1/score_stream": ("POST", api.score_stream),
    }


def _sandbox_fusion(sandbox: SandboxFusion) -> Paths:
    return {
        "/run_code": ("POST", sandbox.run_code),
        "/submit": ("POST", sandbox.submit),
        "/v1/ping": ("GET", sandbox.ping),
    }


def _nemo_gym(gym: NemoGym) -> Paths:
    return {
        "/verify": ("POST", gym.verify),
        "/seed_session": ("POST", gym.seed_session),
        "/close_session": ("POST", gym.seed_session),
        "/aggregate_metrics": ("POST", gym.aggregate_metrics),
        "/reverify_mode": ("GET", gym.reverify_mode),
    }


def _openai(graders: OpenAIGraders) -> Paths:
    return {
        "/v1/fine_tuning/alpha/graders/run": ("POST", graders.run),
        "/v1/fine_tuning/alpha/graders/validate": ("POST", graders.validate),
    }


def _openenv(env: OpenEnv) -> Paths:
    return {
        "/reset": ("POST", env.reset),
        "/step": ("POST", env.step),
        "/state": ("GET", env.state),
        "/metadata": ("GET", env.metadata),
        "/schema": ("GET", env.schema),
    }


def _routes(desk: Desk, paths: Paths, statuses: Statuses, prefixes: Sequence[str]) -> list[BaseRoute]:
    return [
        Route(prefix + path, endpoint(handler, statuses, desk.admission), methods=[method])
        for prefix in prefixes
        for path, (method, handler) in paths.items()
    ]


def _unknown(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    hint = "; docs/gateway.md lists the paths" if status is HTTPStatus.NOT_FOUND else ""
    return problem(status, f"{request.method} {request.url.path}: {status.phrase.lower()}{hint}", "unknown_path")
