"""Which sandbox a configuration means on this host."""

import logging

from reward_server.config import Config
from reward_server.graders import GRADERS
from sandboxes.base import Sandbox
from sandboxes.errors import SandboxError
from sandboxes.local_sandbox import LocalSandbox

_log = logging.getLogger(__name__)


async def choose(config: Config) -> Sandbox:
    """Return the sandbox that ``config`` asks for, not yet started.

    ``auto`` takes Docker when its daemon answers and has the image. Raises `SandboxError`.
    """
    if config.sandbox == "local":
        return _local(config)
    from sandboxes.docker_sandbox import DockerSandbox  # noqa: PLC0415 - its SDK is slow to import

    docker = DockerSandbox(
        image=config.image,
        runtime=config.runtime,
        boxes=config.concurrency,
        warm=_guests(),
        jobs_per_box=config.jobs_per_box,
        memory_bytes=config.max_limits.memory_bytes,
        file_bytes=config.max_limits.file_bytes,
    )
    if config.sandbox == "auto":
        try:
            await docker.check()
        except SandboxError as error:
            _log.info("no Docker, so the embedded sandbox: %s", error)
            return _local(config)
    return docker


def _local(config: Config) -> Sandbox:
    return LocalSandbox(boxes=config.concurrency, warm=_guests(), jobs_per_box=config.jobs_per_box)


def _guests() -> list[str]:
    return [guest for entry in GRADERS.values() for guest in entry.guests]
