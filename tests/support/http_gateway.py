"""A gateway on a loopback port and a client of it; boxes that are dead, slow or real."""

from contextlib import asynccontextmanager

import httpx
from serving import serving

from reward_server.config import Config
from reward_server.graders import GRADERS
from reward_server.server import RewardServer
from sandboxes.base import Ending, Execution
from sandboxes.errors import SandboxUnavailableError
from sandboxes.local_sandbox import LocalSandbox

HALF = "def grade(sample, item):\n    return 0.5"
SLOW_TASK = {"pythonGrader": {"source": HALF}}
"""A task that a box must be asked for, whatever the response."""


def dead(job):
    """A sandbox that cannot be had."""
    raise SandboxUnavailableError("the daemon is gone")


def half(job):
    """A sandbox in which every grader says 0.5, and every program exits."""
    if job.program == "run_code":
        run = {"ended": "exited", "exit_status": 0, "stdout": "out", "stderr": "", "seconds": 0.1, "detail": ""}
        return Execution(ending=Ending.EXITED, report={"build": None, "run": run, "files": {}})
    return Execution(ending=Ending.EXITED, report={"score": 0.5})


@asynccontextmanager
async def gateway(handler=half, *, headers=None, **config):
    """Yield a client of a started gateway over a scripted sandbox; the server is its ``server``."""
    async with (
        serving(handler, graders=GRADERS, http="127.0.0.1:0", **config) as server,
        client(server, headers) as one,
    ):
        yield one


@asynccontextmanager
async def real_gateway(**config):
    """Yield a client of a started gateway over the embedded sandbox."""
    async with LocalSandbox(boxes=2) as sandbox:
        server = RewardServer(sandbox, Config(listen="127.0.0.1:0", http="127.0.0.1:0", **config))
        await server.start()
        async with client(server) as one:
            yield one
        await server.stop()


@asynccontextmanager
async def client(server, headers=None):
    async with httpx.AsyncClient(base_url=server.http_url, headers=headers, timeout=60, trust_env=False) as one:
        one.server = server
        yield one


def detail_of(answer):
    """The message of an error, the same in both shapes that clients know."""
    body = answer.json()
    assert body["detail"] == body["error"]["message"]
    return body["detail"]
