"""What is expected is nowhere in the process that runs a response."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from reward_server.graders.code_tests import GRADER
from reward_server.tasks.code_tests import AssertTest, CallTest, CodeTestsTask
from sandboxes.base import Job, Limits
from sandboxes.docker_sandbox import DockerSandbox
from sandboxes.local_sandbox import LocalSandbox

MARKER = "expected-7f3a9c51d2"
RESPONSE = "import time\nOWN = 'own-' + '4be81f'\ndef f(x):\n    time.sleep(3)\n    return x\n"
OWN = b"own-4be81f"
CALL = CodeTestsTask(entry_point="f", call_tests=(CallTest(args=("1",), expected=repr(MARKER)),))
ASSERT = CodeTestsTask(entry_point="f", assert_tests=(AssertTest(code=f"assert f(1) == {MARKER!r}"),))


def holds(process: psutil.Process, needle: bytes) -> bool:
    """Return whether the memory or the environment of ``process`` contains ``needle``."""
    place = Path(f"/proc/{process.pid}")
    if needle in (place / "environ").read_bytes():
        return True
    with (place / "mem").open("rb", buffering=0) as memory:
        for line in (place / "maps").read_text().splitlines():
            bounds, modes, *_ = line.split(maxsplit=2)
            start, end = (int(bound, 16) for bound in bounds.split("-"))
            if modes.startswith("rw"):
                with suppress(OSError, ValueError, OverflowError):
                    memory.seek(start)
                    if needle in memory.read(end - start):
                        return True
    return False


LOOKING = """
import os
def f(x):
    wanted = ("expected-" + "7f3a9c51d2").encode()
    found = [name for name, value in os.environ.items() if wanted.decode() in name + value]
    for top in ("/tmp", "/dev", "/proc", "/run", "/examiner", "/var", "/etc", "/opt", "/home", "/root"):
        for place, _, names in os.walk(top):
            for name in names:
                try:
                    with open(os.path.join(place, name), "rb") as file:
                        found += [file.name] * (wanted in file.read(1 << 20))
                except OSError:
                    pass
    return found or PLANTED
"""
SANDBOXES = [LocalSandbox, pytest.param(DockerSandbox, marks=pytest.mark.docker)]


@pytest.mark.parametrize("kind", SANDBOXES)
@pytest.mark.parametrize("planted", [False, True])
async def test_the_expected_value_is_in_no_file_that_the_candidate_can_read(kind, planted):
    """A response that searches its environment and every file finds nothing, unless it has put it there itself."""
    plant = f"open('/tmp/there', 'w').write({MARKER!r})\n" if planted else ""
    source = f"{plant}{LOOKING}\nPLANTED = 'nothing'\n"
    payload = {"source": source, "calls": [{"function": "f", "args": [1], "kwargs": {}}], "inputs": [], "prefix": ""}
    payload |= {"programs": [{"code": f"assert f(1) == {MARKER!r}", "framework": ""}], "entry_point": "f"}
    async with kind(boxes=1) as sandbox:
        execution = await sandbox.run(Job(program="python_code", payload=payload))
    (call,) = execution.report["calls"]
    assert json.loads(call["value"]) == (["/tmp/there"] if planted else "nothing")


def found(needle: bytes) -> list[psutil.Process]:
    """Return the leaves among this process's descendants that hold ``needle``; some may end meanwhile."""
    holders = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            if not process.children() and holds(process, needle):
                holders.append(process)
    return holders


@pytest.mark.parametrize("task", [CALL, ASSERT], ids=["call", "assert"])
async def test_the_expected_value_is_not_in_the_candidates_memory(task):
    """While a response runs, its process holds its own strings and not the test's."""
    job = GRADER.plan(task, RESPONSE, Limits())
    assert isinstance(job, Job)
    # The examiner is a leaf too and knows both; the candidate is the one that knows its own code alone.
    examiners = 1 if task is ASSERT else 0
    own, both = [], []
    async with LocalSandbox(boxes=1) as sandbox:
        running = asyncio.create_task(sandbox.run(job))
        try:
            while not running.done() and not (len(own) == 1 + examiners and len(both) == examiners):
                await asyncio.sleep(0.3)
                own = found(OWN)
                both = [process for process in found(MARKER.encode()) if process in own]
        except PermissionError as error:
            pytest.skip(f"reading another process's memory needs root: {error}")
        finally:
            await running
    assert (len(own), len(both)) == (1 + examiners, examiners)
