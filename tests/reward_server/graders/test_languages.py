"""Programs in every language, in Docker boxes of the image that has their toolchains."""

import pytest
from absent import absent
from docker.errors import DockerException
from vectors_runner import VECTORS, load, mismatches

import docker
from reward_server.tasks.code_tests import Language
from sandboxes.docker_sandbox import DockerSandbox

IMAGE = "reward-sandbox-languages:latest"
PATH = VECTORS / "languages" / "code_tests.jsonl"


@pytest.mark.docker
@pytest.mark.timeout(900)
async def test_programs_in_every_language_are_compiled_run_and_judged():
    """Right programs are accepted, wrong ones and endless ones are told apart, and the layers hold in all of them."""
    client = docker.from_env()
    try:
        client.images.get(IMAGE)
    except DockerException:
        absent(f"the image {IMAGE} is missing: LANGUAGES=yes docker/build")
    finally:
        client.close()
    async with DockerSandbox(image=IMAGE, boxes=2) as sandbox:
        assert await mismatches(sandbox, load(PATH)) == []


def test_every_language_has_vectors():
    """A language without a right and a wrong program is not done."""
    text = PATH.read_text("utf-8")
    assert [name for name in Language if name is not Language.PYTHON and f"LANGUAGE_{name.name}" not in text] == []
