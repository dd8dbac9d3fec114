# ruff: noqa: T201 - what it prints is what the test waits for
"""A server process with the HTTP gateway, for clients of other projects: `python serve_http.py local|dead`."""

import asyncio
import sys

from serving import INFO

from reward_server.config import Config
from reward_server.graders import GRADERS
from reward_server.server import serve
from sandboxes.errors import SandboxUnavailableError
from sandboxes.local_sandbox import LocalSandbox
from sandboxes.scripted_sandbox import ScriptedSandbox


async def no_box(job):
    raise SandboxUnavailableError("the Docker daemon does not answer")


def sandbox():
    if sys.argv[1] == "dead":
        return ScriptedSandbox(no_box, info=INFO)
    return LocalSandbox(boxes=1, warm=[guest for entry in GRADERS.values() for guest in entry.guests])


asyncio.run(
    serve(
        sandbox(),
        Config(listen="127.0.0.1:0", http="127.0.0.1:0"),
        "secret" if "token" in sys.argv else "",
        lambda server: print(server.http_url, flush=True),
    )
)
