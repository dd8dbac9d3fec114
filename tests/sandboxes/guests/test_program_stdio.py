"""Whole programs in every language: in Docker with the image that has them all, else with what this host has."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from absent import absent
from docker.errors import ImageNotFound

import docker
from sandboxes.base import Execution, Job, Limits, Sandbox
from sandboxes.docker_sandbox import DockerSandbox
from sandboxes.guests.code_tests.languages import TOOLCHAINS
from sandboxes.local_sandbox import LocalSandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")
IMAGE = "reward-sandbox-languages:latest"
SUMS = Path(__file__).parents[2] / "vectors" / "languages" / "sums.jsonl"
PROGRAMS = {row["language"]: row["source"] for row in map(json.loads, SUMS.read_text("utf-8").splitlines())}
"""In each language a program that prints the sum of the two numbers of each line."""


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)]
)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    if request.param == "docker":
        with closing(docker.from_env()) as client:
            try:
                client.images.get(IMAGE)
            except ImageNotFound:
                absent(f"{IMAGE} is not built; LANGUAGES=yes docker/build makes it")
    made = LocalSandbox(boxes=1) if request.param == "local" else DockerSandbox(image=IMAGE, boxes=1)
    async with made as started:
        yield started


async def run(sandbox: Sandbox, language: str, source: str, *inputs: str, **limits: Any) -> tuple[Any, Execution]:
    payload = {"language": language, "source": source, "inputs": list(inputs)}
    execution = await sandbox.run(Job(program="program_stdio", payload=payload, limits=Limits(**limits)))
    return execution.report, execution


async def test_every_language_has_a_program() -> None:
    """A row of the table without a vector is not done."""
    assert set(PROGRAMS) == set(TOOLCHAINS)


@pytest.mark.parametrize("language", sorted(TOOLCHAINS))
async def test_a_program_is_built_once_and_run_per_input(sandbox: Sandbox, language: str) -> None:
    """Every input gets a run of its own, without a suspicion; a box without the language says so."""
    report, execution = await run(sandbox, language, PROGRAMS[language], "1 2\n3 4\n", "10 20\n")
    if "missing" in report:
        assert sandbox.info.runtime == "local", report
        pytest.skip(f"this host has no {report['missing']}")
    assert [each["stdout"] for each in report["runs"]] == ["3\n7\n", "30\n"]
    assert execution.usage.runs == 2 + bool(TOOLCHAINS[language].build)
    assert execution.flags == ()


async def test_a_program_that_does_not_compile_is_told_why(sandbox: Sandbox) -> None:
    """What the compiler said comes back, and nothing is run."""
    report, _ = await run(sandbox, "c", "int main( { return 0; }", "")
    assert report["runs"] == []
    assert "error:" in report.get("build_error", "") or "missing" in report


async def test_a_program_is_held_to_its_limits(sandbox: Sandbox) -> None:
    """Limits hold for foreign programs, and those that keep passing them are not tried for ever."""
    report, _ = await run(sandbox, "bash", "while :; do :; done", *[""] * 5, cpu_seconds=0.3)
    assert [each["ended"] for each in report["runs"]] == ["cpu_limit"] * 5
    assert "not tried" in report["runs"][4]["detail"]


async def test_a_program_finds_nothing_of_the_run_before(sandbox: Sandbox) -> None:
    """Files that one run leaves are not there for the next."""
    report, _ = await run(sandbox, "bash", "ls; touch left", "", "")
    assert [each["stdout"] for each in report["runs"]] == ["main.sh\n"] * 2


async def test_the_same_program_is_not_built_twice(sandbox: Sandbox) -> None:
    """What was built is kept by the digest of all that went into it: another program, or another file, is another."""
    source = '#include <stdio.h>\n#include "number.h"\nint main() { printf("%d\\n", NUMBER); }\n'
    numbers = [encoded(f"#define NUMBER {number}\n") for number in (1, 1, 2, 1)]
    runs, printed = [], []
    for number in numbers:
        payload = {"language": "c", "source": source, "inputs": [""], "files": {"number.h": number}}
        execution = await sandbox.run(Job(program="program_stdio", payload=payload))
        report: Any = execution.report
        if "missing" in report:
            pytest.skip(f"this host has no {report['missing']}")
        runs.append(execution.usage.runs)
        printed.append(report["runs"][0]["stdout"])
    assert (runs, printed) == ([2, 1, 2, 1], ["1\n", "1\n", "2\n", "1\n"])


async def test_a_build_that_fails_is_tried_again(sandbox: Sandbox) -> None:
    """Only what was built is kept."""
    for _ in range(2):
        report, execution = await run(sandbox, "c", "int main( { return 1; }", "")
        if "missing" in report:
            pytest.skip(f"this host has no {report['missing']}")
        assert execution.usage.runs == 1


async def test_a_run_sees_its_files_and_changes_only_its_own(sandbox: Sandbox) -> None:
    """Files lie where the task says, in directories too, and every run has them as they were."""
    payload = {
        "language": "bash",
        "source": "cat data/a.txt; chmod u+w data/a.txt; echo changed > data/a.txt; cat data/a.txt",
        "inputs": ["", ""],
        "files": {"data/a.txt": encoded("as it was\n")},
    }
    execution = await sandbox.run(Job(program="program_stdio", payload=payload))
    report: Any = execution.report
    assert [each["stdout"] for each in report["runs"]] == ["as it was\nchanged\n"] * 2


async def test_large_files_arrive(sandbox: Sandbox) -> None:
    """Files together may be larger than a frame."""
    files = {f"{i}.bin": encoded("x" * (4 << 20)) for i in range(4)}
    payload = {"language": "bash", "source": "cat *.bin | wc -c", "inputs": [""], "files": files}
    execution = await sandbox.run(Job(program="program_stdio", payload=payload))
    report: Any = execution.report
    assert report["runs"][0]["stdout"].strip() == str(16 << 20)


async def test_a_run_has_limits_of_its_own(sandbox: Sandbox) -> None:
    """A run's own limits replace the job's for it alone."""
    payload = {
        "language": "bash",
        "source": "read n; sleep $n; echo woke",
        "inputs": ["1", "1"],
        "input_limits": [{}, {"wall_seconds": 0.3}],
    }
    execution = await sandbox.run(Job(program="program_stdio", payload=payload))
    report: Any = execution.report
    assert [each["ended"] for each in report["runs"]] == ["exited", "wall_limit"]


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
