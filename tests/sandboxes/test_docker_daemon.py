"""What becomes of jobs when the Docker daemon goes down and comes back: tried on a daemon of the test's own."""

import asyncio
import gc
import logging
import warnings
from collections.abc import Iterator

import pytest
import sandbox_contract as contract
from private_daemon import MISSING, Daemon, private_daemon

from sandboxes.docker_sandbox import DockerSandbox
from sandboxes.errors import SandboxError

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # see `forgotten_sockets`
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
]
IMAGE = "reward-sandbox:latest"


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with private_daemon(IMAGE) as running:
        yield running


@pytest.fixture(autouse=True)
def forgotten_sockets() -> Iterator[None]:
    """The SDK forgets a socket whenever it cannot connect: collect those here, where they are expected."""
    logging.disable(logging.WARNING)  # a captured log would keep the errors, and they the sockets
    yield
    logging.disable(logging.NOTSET)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


async def test_jobs_outlive_a_restart_of_the_daemon(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job meets a restart with its right result or an error of the sandbox, and afterwards all is as before."""
    monkeypatch.setenv("DOCKER_HOST", daemon.host)
    outcomes: list[str] = []
    stop = asyncio.Event()

    async def keep_asking(sandbox: DockerSandbox, number: int) -> None:
        while not stop.is_set():
            try:
                outcomes.append((await contract.run(sandbox, "print(input())", str(number))).stdout.strip())
                assert outcomes[-1] == str(number)
            except SandboxError:
                outcomes.append("error")

    async with DockerSandbox(boxes=2) as sandbox:
        asking = [asyncio.create_task(keep_asking(sandbox, number)) for number in range(4)]
        await asyncio.sleep(0.5)
        await asyncio.to_thread(daemon.stop)
        await asyncio.to_thread(daemon.start)
        stop.set()
        await asyncio.gather(*asking)
        assert outcomes.count("error") < len(outcomes) / 2
        done = await asyncio.gather(*(contract.run(sandbox, "print('well')") for _ in range(4)))
    assert [each.stdout for each in done] == ["well\n"] * 4


async def test_without_its_daemon_every_job_is_an_error(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that is gone for good gives errors within bounded time, never an execution; closing still works."""
    monkeypatch.setenv("DOCKER_HOST", daemon.host)
    sandbox = DockerSandbox(boxes=1)
    await sandbox.start()
    await asyncio.to_thread(daemon.stop)
    try:
        async with asyncio.timeout(60):
            with pytest.raises(SandboxError):
                await contract.run(sandbox, "print('well')")
            await sandbox.close()
    finally:
        await asyncio.to_thread(daemon.start)
