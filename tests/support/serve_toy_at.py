# ruff: noqa: T201 - what it prints is what the test waits for
"""A server process over the scripted sandbox at a given address: `python serve_toy_at.py 127.0.0.1:0`."""

import asyncio
import sys

import toy
from serving import INFO

from reward_server.config import Config
from reward_server.server import serve
from sandboxes.errors import SandboxUnavailableError
from sandboxes.scripted_sandbox import ScriptedSandbox


async def handler(job):
    response = job.payload["response"]
    print(f"grades {response}", flush=True)
    if response == "no sandbox":
        raise SandboxUnavailableError("scripted")
    if response == "never":
        await asyncio.Event().wait()
    if response.startswith("slow"):
        await asyncio.sleep(0.3)
    return toy.said(job)


async def main():
    await serve(
        ScriptedSandbox(handler, info=INFO),
        Config(listen=sys.argv[1]),
        "",
        lambda server: print(server.address, flush=True),
        graders=toy.GRADERS,
    )


asyncio.run(main())
