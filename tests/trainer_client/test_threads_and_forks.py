"""One client under threads, forks and several event loops."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trainer_client import AsyncRewardClient, RewardClient, RewardError, Sample, reward

TASK = {"taskId": "sum", "mathAnswer": {"expected": "4"}}
ROOT = Path(__file__).parents[2]
FORKING = """
import os, sys
from trainer_client import RewardClient, RewardError, Sample, reward

client = RewardClient(sys.argv[1])
sample = Sample({"mathAnswer": {"expected": "4"}}, "0.5")
if sys.argv[2] == "used":
    client.score([sample])
child = os.fork()
who = "child" if child == 0 else "parent"
try:
    said = reward(client.score([sample], timeout_seconds=10)[0])
    client.close()
except RewardError as error:
    said = "refused" if "forked" in str(error) else error
os.write(1, f"{who} {said}\\n".encode())
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
"""


def test_threads_share_a_client(server):
    """Many threads may use one client at once, from its first call on, and each gets its own results."""
    with RewardClient(server.address) as client, ThreadPoolExecutor(16) as threads:
        wanted = [i / 200 for i in range(200)]
        got = threads.map(lambda score: reward(client.score([Sample(TASK, str(score))])[0]), wanted)
        assert list(got) == wanted


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.parametrize(
    ("use", "switch", "child"), [("new", "0", "child 0.5"), ("used", "0", "child refused"), ("used", "1", "child 0.5")]
)
def test_forks(server, use, switch, child):
    """A client made before a fork works on both sides; once used, a child is refused at once unless gRPC was told."""
    command = [sys.executable, "-c", FORKING, server.address, use]
    environment = {**os.environ, "GRPC_ENABLE_FORK_SUPPORT": switch}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60, check=False)
    assert sorted(done.stdout.splitlines()) == [child, "parent 0.5"], done.stderr


def test_one_loop_after_another(server):
    """A client of asyncio may be used by a second loop once the first is closed."""
    client = AsyncRewardClient(server.address)

    async def score():
        (result,) = await client.score([Sample(TASK, "0.5")])
        return reward(result)

    assert [asyncio.run(score()), asyncio.run(score())] == [0.5, 0.5]


def test_two_loops_at_once_are_refused(server):
    """A client of asyncio that two living loops use says so instead of hanging."""
    client = AsyncRewardClient(server.address)
    with asyncio.Runner() as first, asyncio.Runner() as second:
        assert first.run(client.health())
        with pytest.raises(RewardError, match="another event loop"):
            second.run(client.health())
        first.run(client.close())


async def test_many_calls_at_once(server):
    """Calls of one asyncio client run concurrently."""
    async with AsyncRewardClient(server.address) as client:
        answers = await asyncio.gather(*(client.score([Sample(TASK, str(i / 100))]) for i in range(100)))
    assert [reward(result) for (result,) in answers] == [i / 100 for i in range(100)]
