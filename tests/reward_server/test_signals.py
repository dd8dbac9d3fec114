"""The server as a process: what SIGTERM and Ctrl-C do."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from reward.v1 import reward_service_pb2 as pb
from serving import Calls, request

SCRIPT = Path(__file__).parents[1] / "support" / "serve_toy.py"


@asynccontextmanager
async def process(kind):
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}:{root / 'proto'}"}
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), kind, stdout=asyncio.subprocess.PIPE, env=environment
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def line(child):
    return (await asyncio.wait_for(child.stdout.readline(), 60)).decode().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_lets_running_samples_finish(number):
    """After SIGTERM or one Ctrl-C the sample in hand is answered, the sandbox closed, and the exit status is 0."""
    async with process("quick") as child, grpc.aio.insecure_channel(await line(child)) as channel:
        running = Calls(channel, ()).score(request("right"))
        asked = asyncio.ensure_future(running.code())
        assert await line(child) == "running"
        child.send_signal(number)
        answer: pb.ScoreResponse = await running
        assert await asked is grpc.StatusCode.OK
        assert answer.results[0].verdict.score == 1.0
        assert await line(child) == "closed"
        assert await asyncio.wait_for(child.wait(), 60) == 0


async def test_the_second_signal_ends_without_waiting():
    """Ctrl-C twice ends the server although a sample runs; the sandbox is closed all the same."""
    async with process("endless") as child, grpc.aio.insecure_channel(await line(child)) as channel:
        running = Calls(channel, ()).score(request("right"))
        asked = asyncio.ensure_future(running.code())
        assert await line(child) == "running"
        child.send_signal(signal.SIGINT)
        await asyncio.sleep(0.3)
        assert child.returncode is None
        child.send_signal(signal.SIGINT)
        assert await line(child) == "closed"
        assert await asyncio.wait_for(child.wait(), 60) == 0
        assert await asked in {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}


async def test_a_signal_ends_a_server_that_is_not_up_yet():
    """A start that hangs can be given up with one signal."""
    async with process("never-up") as child:
        assert await line(child) == "starting"
        child.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(child.wait(), 60) != 0
