"""The Docker sandbox keeps the contract, and its containers are what they should be."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sandbox_contract as contract
from docker.errors import APIError

import docker
from sandboxes.base import Sandbox
from sandboxes.docker_sandbox import LABEL, DockerSandbox
from sandboxes.errors import SandboxUnavailableError, SandboxUnsupportedError

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]


class DockerMaker:
    """Knows the containers of the sandboxes it made."""

    def __init__(self) -> None:
        self._made: list[DockerSandbox] = []

    def make(self, **options: Any) -> DockerSandbox:
        self._made.append(DockerSandbox(**options))
        return self._made[-1]

    async def destroy_boxes(self) -> int:
        containers = await asyncio.to_thread(self.containers)
        for container in containers:
            with suppress(APIError):  # it ended by itself
                await asyncio.to_thread(container.kill)
        return len(containers)

    async def supervisors(self) -> list[int]:
        containers = await asyncio.to_thread(self.containers)
        return [container.attrs["State"]["Pid"] for container in containers]

    def containers(self) -> list[Any]:
        return containers_of({sandbox.name for sandbox in self._made})


def containers_of(names: set[str]) -> list[Any]:
    with closing(docker.from_env()) as client:
        found = client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
        return [container for container in found if container.labels[LABEL] in names]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with DockerSandbox(boxes=2) as started:
        yield started


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
async def test_promise(check: Any, sandbox: Sandbox) -> None:
    """Whatever a run does, it is bounded, contained, reported and gone afterwards."""
    await check(sandbox)


@pytest.mark.parametrize("check", contract.LIFE, ids=lambda check: check.__name__)
async def test_life(check: Any) -> None:
    """Boxes come and go without a job noticing."""
    await check(DockerMaker())


async def test_containers_are_hardened() -> None:
    """A container has no network, no capability it does not need, no writable image and no unbounded resource."""
    maker = DockerMaker()
    async with maker.make(boxes=1):
        (container,) = maker.containers()
        host = container.attrs["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert set(host["CapAdd"]) <= {"SETUID", "SETGID", "KILL"}
    assert host["ReadonlyRootfs"] is True
    assert host["Privileged"] is False
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["PidsLimit"] > 0
    assert not host["Binds"]
    assert {"/tmp", "/dev/shm", "/run", "/examiner"} == set(host["Tmpfs"])


async def test_no_container_outlives_its_sandbox() -> None:
    """After closing, the daemon knows no container of the sandbox, running or not."""
    maker = DockerMaker()
    async with maker.make() as sandbox:
        await contract.run(sandbox, "print(1)")
    assert maker.containers() == []


async def test_containers_end_with_a_server_that_is_killed() -> None:
    """A server that dies without a word leaves no container behind."""
    source = (
        "import asyncio\n"
        "from sandboxes.docker_sandbox import DockerSandbox\n"
        "async def main():\n"
        "    async with DockerSandbox(boxes=1) as sandbox:\n"
        "        print(sandbox.name, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", source, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    name = (await server.stdout.readline()).decode().strip()
    assert len(await asyncio.to_thread(containers_of, {name})) == 1
    server.kill()
    await server.wait()
    deadline = asyncio.get_running_loop().time() + 10
    while left := await asyncio.to_thread(containers_of, {name}):
        assert asyncio.get_running_loop().time() < deadline, left
        await asyncio.sleep(0.1)


async def test_an_image_that_is_not_there_is_named() -> None:
    """Without the image nothing starts, and the message says how to build it."""
    with pytest.raises(SandboxUnavailableError, match="make images"):
        await DockerSandbox(image="reward-sandbox:never-built").start()


async def test_a_runtime_that_is_not_there_is_named() -> None:
    """A runtime that the daemon does not have is refused, and the message names those it has."""
    with pytest.raises(SandboxUnsupportedError, match="runc"):
        await DockerSandbox(runtime="no-such-runtime").start()


async def test_a_daemon_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """Without a daemon a sandbox does not start; it never runs anything by other means."""
    source = (
        "import asyncio\n"
        "from sandboxes.docker_sandbox import DockerSandbox\n"
        "from sandboxes.errors import SandboxUnavailableError\n"
        "try:\n"
        "    asyncio.run(DockerSandbox().start())\n"
        "except SandboxUnavailableError as error:\n"
        "    print(error)\n"
    )
    # In a process of its own, because the SDK forgets a socket that finds no daemon.
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
    asking = await asyncio.create_subprocess_exec(
        sys.executable, "-c", source, env=environment, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asking.communicate()
    assert said.decode().startswith("no Docker daemon answers")
