# ruff: noqa: T201 - what it prints is what the test waits for
"""A server process with every grader, over a sandbox that cannot be had."""

import asyncio

from serving import INFO

from reward_server.config import Config
from reward_server.server import serve
from sandboxes.errors import SandboxUnavailableError
from sandboxes.scripted_sandbox import ScriptedSandbox


async def no_box(job):
    raise SandboxUnavailableError("the Docker daemon does not answer")


asyncio.run(
    serve(
        ScriptedSandbox(no_box, info=INFO),
        Config(listen="127.0.0.1:0"),
        "",
        lambda server: print(server.address, flush=True),
    )
)
