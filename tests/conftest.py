"""Docker tests run where a daemon with the sandbox image answers, and are skipped elsewhere.

With REWARD_DOCKER_TESTS=required, as CI sets it, they fail instead of being skipped.
"""

from contextlib import closing
from functools import cache

import pytest
from absent import absent
from docker.errors import DockerException, ImageNotFound

import docker
from sandboxes.docker_sandbox import _knock

IMAGE = "reward-sandbox:latest"


@cache
def docker_is_missing() -> str:
    """Return why Docker tests cannot run here; empty when they can."""
    try:
        _knock()
        with closing(docker.from_env(timeout=10)) as client:
            client.images.get(IMAGE)
    except ImageNotFound:
        return f"the image {IMAGE} is missing: make images"
    except (DockerException, OSError) as error:
        return f"no Docker daemon answers: {error}"
    return ""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("docker") and (reason := docker_is_missing()):
        absent(reason)
