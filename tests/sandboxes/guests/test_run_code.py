"""Single programs with files, as the gateway runs them; in the embedded sandbox, with what this host has."""

import base64
import shutil

import pytest
import pytest_asyncio

from sandboxes.base import Ending, Job, Limits
from sandboxes.local_sandbox import LocalSandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")
HELLO = '#include <stdio.h>\nint main() { puts("hello"); return 2; }'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox():
    async with LocalSandbox(boxes=1) as started:
        yield started


async def run(sandbox, language, source, *, stdin="", files=None, fetch=(), build_seconds=20.0, **limits):
    payload = {
        "language": language,
        "source": source,
        "stdin": stdin,
        "files": {path: base64.b64encode(content).decode() for path, content in (files or {}).items()},
        "fetch": list(fetch),
        "build_seconds": build_seconds,
    }
    return await sandbox.run(Job(program="run_code", payload=payload, limits=Limits(**limits)))


async def test_with_and_without_files_a_program_ends_the_same(sandbox):
    """Status, output and errors of a Python program do not depend on whether files come along or are fetched."""
    source = "import sys\nprint(sys.stdin.read(), end='')\nprint('e', file=sys.stderr)\nsys.exit(3)"
    for extra in ({}, {"files": {"a": b"1"}}, {"fetch": ["a"]}, {"files": {"a": b"1"}, "fetch": ["a"]}):
        ran = (await run(sandbox, "python", source, stdin="in\n", **extra)).report["run"]
        assert (ran["ended"], ran["exit_status"], ran["stdout"], ran["stderr"]) == ("exited", 3, "in\n", "e\n")


async def test_files_come_back_whole_and_bounded(sandbox):
    """Bytes are bytes; a file that does not fit beside the others is left out."""
    source = (
        "open('a', 'wb').write(bytes(range(256)))\nopen('big', 'wb').write(bytes(5 << 20))\nopen('c', 'w').write('c')"
    )
    report = (await run(sandbox, "python", source, fetch=["a", "big", "c", "none"])).report
    assert {path: base64.b64decode(content) for path, content in report["files"].items()} == {
        "a": bytes(range(256)),
        "c": b"c",
    }


async def test_a_program_that_kills_who_would_fetch_its_files_gets_none(sandbox):
    """The process that fetches belongs to the run: without it there are no files, and the box goes on."""
    report = (await run(sandbox, "python", "import os\nos.kill(os.getppid(), 9)", fetch=["a"])).report
    assert report["files"] == {}
    assert (await run(sandbox, "python", "print(1)")).report["run"]["stdout"] == "1\n"


async def test_nothing_of_a_run_stays_for_the_next(sandbox):
    """Files that were laid out or made are gone afterwards."""
    await run(sandbox, "python", "open('left', 'w').write('x')", files={"d/in": b"x"}, fetch=["left"])
    assert (await run(sandbox, "python", "import os; print(os.listdir('.'))")).report["run"]["stdout"] == "[]\n"


async def test_a_limit_ends_the_run_and_its_children(sandbox):
    """A program past its time is a fact with a name; what it started is ended with it."""
    source = "import os\nif os.fork() == 0:\n    while True: pass\nwhile True: pass"
    execution = await run(sandbox, "python", source, fetch=["a"], cpu_seconds=0.3, wall_seconds=20)
    assert execution.report["run"]["ended"] == "cpu_limit"
    assert execution.ending is Ending.CPU_LIMIT
    assert execution.pressed


@pytest.mark.skipif(shutil.which("gcc") is None, reason="this host has no compiler")
async def test_compilers_speak_for_themselves(sandbox):
    """A compiled program has both steps in its report; one that does not compile has no run."""
    good = (await run(sandbox, "c", HELLO, files={"data": b"x"})).report
    bad = (await run(sandbox, "c", "int main( {")).report
    assert (good["build"]["exit_status"], good["run"]["exit_status"], good["run"]["stdout"]) == (0, 2, "hello\n")
    assert bad["run"] is None
    assert bad["build"]["exit_status"] != 0
    assert "error" in bad["build"]["stderr"]


async def test_a_missing_tool_is_named(sandbox):
    """A box without the tools of a language says which is missing."""
    if shutil.which("rustc"):
        pytest.skip("this host has Rust")
    assert (await run(sandbox, "rust", "fn main() {}")).report == {"missing": "rustc"}
