"""Which sandbox a configuration means on this host."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from reward_server.config import Config
from reward_server.graders import GRADERS
from sandboxes.base import Sandbox
from sandboxes.errors import SandboxError
from sandboxes.local_sandbox import LocalSandbox

if TYPE_CHECKING:
    from sandboxes.docker_sandbox import DockerSandbox

_log = logging.getLogger(__name__)


async def choose(config: Config, graders: Iterable[str] = tuple(GRADERS)) -> Sandbox:
    """Return the sandbox that ``config`` asks for, not yet started, with what ``graders`` use loaded ahead.

    ``auto`` takes Docker when its daemon answers and has the image. Raises `SandboxError`.
    """
    if config.sandbox == "auto" and (problem := await docker_problem(config)):
        _log.warning("no Docker, so the embedded sandbox: %s", problem)
        return _local(config, graders)
    return _local(config, graders) if config.sandbox == "local" else _docker(config, graders)


async def docker_problem(config: Config) -> str:
    """Return why Docker boxes cannot be had here; empty when they can."""
    try:
        await _docker(config, ()).check()
    except SandboxError as error:
        return str(error)
    return ""


def _docker(config: Config, graders: Iterable[str]) -> "DockerSandbox":
    from sandboxes.docker_sandbox import DockerSandbox  # noqa: PLC0415 - its SDK is slow to import

    return DockerSandbox(
        image=config.image,
        runtime=config.runtime,
        boxes=config.concurrency,
        warm=_guests(graders),
        jobs_per_box=config.jobs_per_box,
        memory_bytes=config.max_limits.memory_bytes,
        file_bytes=config.max_limits.file_bytes,
    )


def _local(config: Config, graders: Iterable[str]) -> Sandbox:
    return LocalSandbox(boxes=config.concurrency, warm=_guests(graders), jobs_per_box=config.jobs_per_box)


def _guests(graders: Iterable[str]) -> list[str]:
    return [guest for name in graders for guest in GRADERS[name].guests]
