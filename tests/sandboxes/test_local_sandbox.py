"""The embedded sandbox keeps the contract."""

import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest
import pytest_asyncio
import sandbox_contract as contract

from sandboxes.base import Sandbox
from sandboxes.local_sandbox import LocalSandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")


class LocalMaker:
    """Knows its boxes by their being children of this process that were not there before."""

    def __init__(self) -> None:
        self._others = set(psutil.Process().children())

    def make(self, **options: Any) -> Sandbox:
        return LocalSandbox(**options)

    async def destroy_boxes(self) -> int:
        doorways = set(psutil.Process().children()) - self._others
        for doorway in doorways:
            os.kill(doorway.pid, signal.SIGKILL)
        return len(doorways)

    async def supervisors(self) -> list[int]:
        doorways = set(psutil.Process().children()) - self._others
        return [child.pid for doorway in doorways for child in doorway.children()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with LocalSandbox(boxes=2) as started:
        yield started


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
async def test_promise(check: Any, sandbox: Sandbox) -> None:
    """Whatever a run does, it is bounded, contained, reported and gone afterwards."""
    await check(sandbox)


@pytest.mark.parametrize("check", contract.LIFE, ids=lambda check: check.__name__)
async def test_life(check: Any) -> None:
    """Boxes come and go without a job noticing."""
    await check(LocalMaker())
