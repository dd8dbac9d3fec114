# ruff: noqa: T201 - what it prints is what the test waits for
"""A server process over the scripted sandbox, for tests of signals: `python serve_toy.py quick|endless|never-up`."""

import asyncio
import sys

import toy
from serving import INFO

from reward_server.config import Config
from reward_server.server import serve
from sandboxes.scripted_sandbox import ScriptedSandbox


class Announcing(ScriptedSandbox):
    async def start(self):
        if sys.argv[1] == "never-up":
            print("starting", flush=True)
            await asyncio.Event().wait()
        await super().start()

    async def close(self):
        await super().close()
        print("closed", flush=True)


async def handler(job):
    print("running", flush=True)
    await asyncio.sleep(0.5 if sys.argv[1] == "quick" else 1000)
    return toy.said(job)


async def main():
    await serve(
        Announcing(handler, info=INFO),
        Config(listen="127.0.0.1:0"),
        "",
        lambda server: print(server.address, flush=True),
        graders=toy.GRADERS,
    )


asyncio.run(main())
