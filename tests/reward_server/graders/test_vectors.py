"""Every grader against its vectors, in the embedded sandbox."""

import pytest
from vectors_runner import VECTORS, load, mismatches

from reward_server.graders import GRADERS
from sandboxes.docker_sandbox import DockerSandbox
from sandboxes.local_sandbox import LocalSandbox

SHARED = {"answers.jsonl"}


@pytest.mark.parametrize(
    "path", sorted(set(VECTORS.glob("*.jsonl")) - {VECTORS / n for n in SHARED}), ids=lambda path: path.stem
)
async def test_every_vector_is_graded_as_it_says(path):
    """Each line of the file gets the ruling, score and flags that it expects."""
    async with LocalSandbox(boxes=2) as sandbox:
        assert await mismatches(sandbox, load(path)) == []


@pytest.mark.docker
async def test_flags_are_raised_in_containers_as_well():
    """What a container's own filter denies first would not be reported: the same flags come out there."""
    async with DockerSandbox(boxes=2) as sandbox:
        assert await mismatches(sandbox, load(VECTORS / "flags.jsonl")) == []


def test_every_grader_has_vectors():
    """A grader without a file of vectors is not done."""
    assert {path.stem for path in VECTORS.glob("*.jsonl") if path.name not in SHARED} >= set(GRADERS)
