"""What every sandbox promises, as named checks; each takes a started sandbox of two boxes that other checks use too.

A new sandbox is right when every function in `CHECKS` passes with it. `LIFE` holds those that need sandboxes of their
own, because they close or destroy them.
"""

import asyncio
import base64
import json
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import psutil
import pytest

from sandboxes.base import MIB, AssuranceLevel, Ending, Execution, Job, Limits, Sandbox
from sandboxes.errors import SandboxError, SandboxUnavailableError

CHECKS: list[Callable[[Sandbox], Awaitable[None]]] = []
LIFE: list[Callable[["Maker"], Awaitable[None]]] = []


class Maker(Protocol):
    """What the checks in `LIFE` need to know about an implementation."""

    def make(self, **options: Any) -> Sandbox:
        """Return a sandbox that is not started."""

    async def destroy_boxes(self) -> int:
        """Destroy every box of this process's sandboxes without a word to them; return how many there were."""

    async def supervisors(self) -> list[int]:
        """Return the host's ids of the first processes of this process's boxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a program, and the execution it was part of."""

    ended: str
    exit_status: int
    stdout: str
    stderr: str
    execution: Execution


def program(source: str, stdin: str = "", **limits: Any) -> Job:
    """Return a job that runs ``source`` as a whole program."""
    bounds = Limits(**{"cpu_seconds": 5.0, "wall_seconds": 10.0, "total_seconds": 30.0, **limits})
    payload = {"source": source, "calls": [], "inputs": [stdin], "programs": []}
    return Job(program="python_code", payload=payload, limits=bounds)


async def run(sandbox: Sandbox, source: str, stdin: str = "", **limits: Any) -> Run:
    """Run ``source`` and return what happened."""
    execution = await sandbox.run(program(source, stdin, **limits))
    facts: Any = execution.report["runs"]
    keys = ("ended", "exit_status", "stdout", "stderr")
    return Run(**{key: facts[0].get(key) for key in keys}, execution=execution)


def named_processes(name: str) -> list[int]:
    """Return the processes of this host that call themselves ``name`` for this test run, in containers too."""
    found, name = [], f"{name[_COMMON:]}-{os.getpid()}"
    for entry in Path("/proc").glob("[0-9]*/comm"):
        try:
            if entry.read_text().strip() == name:
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until ``condition`` holds; return whether it did in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


_COMMON = len("contract-")
CALL_YOURSELF = f"import ctypes; ctypes.CDLL(None).prctl(15, ({{name!r}}[{_COMMON}:] + '-{os.getpid()}').encode())\n"
"""A name ends with the test run's process id, since others may test on this machine; the kernel keeps 15 bytes."""
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {body}
        while True: time.sleep(1)
    os._exit(0)
os.wait()
"""


def check(function: Callable[[Sandbox], Awaitable[None]]) -> Callable[[Sandbox], Awaitable[None]]:
    CHECKS.append(function)
    return function


def life(function: Callable[[Maker], Awaitable[None]]) -> Callable[[Maker], Awaitable[None]]:
    LIFE.append(function)
    return function


# What a run is given, and what comes back


@check
async def a_program_reads_its_input_and_its_output_comes_back(sandbox: Sandbox) -> None:
    done = await run(sandbox, "print(input() * 2)", "né\n")
    assert (done.ended, done.exit_status, done.stdout) == ("exited", 0, "néné\n")


@check
async def output_is_kept_byte_for_byte(sandbox: Sandbox) -> None:
    done = await run(sandbox, "import sys; sys.stdout.buffer.write(bytes(range(256)))")
    assert done.stdout.encode("utf-8", "surrogateescape") == bytes(range(256))


@check
async def large_input_and_output_pass_whole(sandbox: Sandbox) -> None:
    text = "0123456789abcde\n" * (MIB // 4)
    done = await run(sandbox, "import sys; sys.stdout.write(sys.stdin.read())", text, output_bytes=8 * MIB)
    assert done.ended == "exited"
    assert done.stdout == text


@check
async def exit_statuses_and_signals_are_told_apart(sandbox: Sandbox) -> None:
    left = await run(sandbox, "import os; os._exit(3)")
    fell = await run(sandbox, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert (left.ended, left.exit_status) == ("exited", 3)
    assert (fell.ended, fell.exit_status) == ("killed", -11)


@check
async def errors_come_back_for_people_to_read(sandbox: Sandbox) -> None:
    done = await run(sandbox, "raise KeyError('the reason')")
    assert done.exit_status == 1
    assert "KeyError: 'the reason'" in done.stderr


@check
async def usage_is_told(sandbox: Sandbox) -> None:
    done = await run(sandbox, "import time\nx = bytearray(50 << 20)\nwhile time.process_time() < 0.3: pass")
    usage = done.execution.usage
    assert 0.25 < usage.cpu_seconds < 1.0
    assert usage.wall_seconds >= 0.25
    assert usage.peak_memory_bytes >= 50 * MIB
    assert usage.runs == 1


@check
async def the_self_test_says_what_holds(sandbox: Sandbox) -> None:
    assert sandbox.info.assurance_level >= AssuranceLevel.NAMESPACE
    names = {layer.name for layer in sandbox.info.layers if layer.active}
    assert {"identity", "seccomp", "network", "no_new_privs", "processes", "memory", "file_system"} <= names


# Limits


@check
async def a_busy_loop_ends_at_the_cpu_limit(sandbox: Sandbox) -> None:
    done = await run(sandbox, "while True: pass", cpu_seconds=0.4)
    assert done.ended == "cpu_limit"
    assert done.execution.usage.cpu_seconds < 1.5


@check
async def children_count_towards_the_cpu_limit(sandbox: Sandbox) -> None:
    source = "import os, time\nfor _ in range(3):\n if not os.fork():\n  while True: pass\ntime.sleep(300)"
    done = await run(sandbox, source, cpu_seconds=0.8, wall_seconds=300, total_seconds=300)
    assert done.ended == "cpu_limit"


@check
async def a_sleeper_ends_at_the_wall_limit(sandbox: Sandbox) -> None:
    done = await run(sandbox, "import time; time.sleep(300)", wall_seconds=0.4, total_seconds=300)
    assert done.ended == "wall_limit"


@check
async def ignored_signals_do_not_save_a_run(sandbox: Sandbox) -> None:
    source = "import signal\nfor n in range(1, 65):\n try: signal.signal(n, signal.SIG_IGN)\n except Exception: pass\n"
    done = await run(sandbox, source + "while True: pass", cpu_seconds=0.4)
    assert done.ended == "cpu_limit"


@check
async def memory_is_bounded(sandbox: Sandbox) -> None:
    done = await run(sandbox, "x = []\nwhile True: x.append(bytearray(b'x' * (8 << 20)))", memory_bytes=64 * MIB)
    assert done.ended == "memory_limit" or "MemoryError" in done.stderr
    assert done.execution.usage.peak_memory_bytes < 320 * MIB


@check
async def memory_of_the_whole_tree_is_bounded(sandbox: Sandbox) -> None:
    source = "import os, time\nfor _ in range(3): os.fork()\nx = bytearray(b'x' * (48 << 20))\ntime.sleep(20)"
    done = await run(sandbox, source, memory_bytes=128 * MIB)
    assert done.ended == "memory_limit"


@check
async def a_fork_bomb_is_bounded_and_cleared(sandbox: Sandbox) -> None:
    bomb = CALL_YOURSELF.format(name="contract-bomb") + "import os\nwhile True:\n try: os.fork()\n except OSError: pass"
    neighbour = "import time; time.sleep(0.5); print('well')"
    bombed, well = await asyncio.gather(run(sandbox, bomb, cpu_seconds=1.0), run(sandbox, neighbour))
    assert bombed.ended in {"cpu_limit", "wall_limit"}
    assert well.stdout == "well\n"
    assert named_processes("contract-bomb") == []


@check
async def output_is_cut_at_its_limit_and_says_so(sandbox: Sandbox) -> None:
    done = await run(sandbox, "while True: print('x' * 4095)", output_bytes=100_000)
    assert done.ended == "output_limit"
    assert done.stdout.startswith("xxxx")
    assert len(done.stdout) <= 100_000


@check
async def files_are_bounded(sandbox: Sandbox) -> None:
    source = """
        written = 0
        try:
            for number in range(100):
                with open(f"/tmp/{number}", "wb") as file:
                    file.write(bytes(4 << 20))
                written += 4
        except OSError:
            pass
        print(written)
    """
    done = await run(sandbox, _dedent(source), file_bytes=16 * MIB)
    assert done.ended == "output_limit" or int(done.stdout) <= 16


@check
async def the_number_of_files_is_bounded(sandbox: Sandbox) -> None:
    source = "for number in range(100_000): open(f'/tmp/{number}', 'w').close()"
    done = await run(sandbox, source)
    assert done.exit_status != 0
    assert "No space left" in done.stderr or "quota" in done.stderr


# What a run cannot reach


@check
async def there_is_no_network(sandbox: Sandbox) -> None:
    source = "import socket; socket.create_connection(('127.0.0.1', 1), 1)"
    done = await run(sandbox, source)
    assert "PermissionError" in done.stderr
    assert "network_attempt" in dict(done.execution.flags)


@check
async def only_its_own_places_can_be_written(sandbox: Sandbox) -> None:
    source = """
        import os
        for place in ("/", "/usr", "/etc", "/run", "/run/box", "/opt", "/dev", "/proc", "/examiner", "/root", "/var"):
            try:
                os.close(os.open(place + "/mark", os.O_CREAT | os.O_WRONLY))
                print("wrote", place)
            except OSError:
                pass
    """
    assert (await run(sandbox, _dedent(source))).stdout == ""


@check
async def nothing_of_ours_is_open_or_in_the_environment(sandbox: Sandbox) -> None:
    source = """
        import json, os
        def is_open(descriptor):
            try:
                return bool(os.fstat(descriptor))
            except OSError:
                return False
        print(json.dumps([sorted(os.environ), [n for n in range(3, 4096) if is_open(n)]]))
    """
    names, descriptors = json.loads((await run(sandbox, _dedent(source))).stdout)
    assert descriptors == []
    assert set(names) <= {
        "HOME",
        "LANG",
        "LC_CTYPE",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "PATH",
        "PYTHONHASHSEED",
        "TMPDIR",
    }


@check
async def runs_cannot_signal_anything_but_themselves(sandbox: Sandbox) -> None:
    source = """
        import os
        for pid in range(1, 50_000):
            try:
                if pid != os.getpid():
                    os.kill(pid, 0)
                    print("reached", pid)
            except OSError:
                pass
    """
    waiting = run(sandbox, "import time; time.sleep(0.5); print('well')")
    searched, well = await asyncio.gather(run(sandbox, _dedent(source)), waiting)
    assert searched.stdout == ""
    assert well.stdout == "well\n"


@check
async def killing_everything_kills_only_the_run(sandbox: Sandbox) -> None:
    neighbour = run(sandbox, "import time; time.sleep(0.5); print('well')")
    killer, well = await asyncio.gather(run(sandbox, "import os; os.kill(-1, 9); print('still here')"), neighbour)
    assert well.stdout == "well\n"
    assert (await run(sandbox, "print('next')")).stdout == "next\n"
    assert killer.ended in {"exited", "killed"}


@check
async def tracing_is_denied_and_reported_and_system_v_ipc_denied(sandbox: Sandbox) -> None:
    source = "import ctypes; c = ctypes.CDLL(None); print(c.ptrace(0, 0, 0, 0), c.shmget(0, 4096, 0o1666))"
    done = await run(sandbox, source)
    assert done.stdout == "-1 -1\n"
    assert "tracing_attempt" in dict(done.execution.flags)


# What a run leaves behind


@check
async def files_do_not_outlive_their_run(sandbox: Sandbox) -> None:
    leave = "import os\nfor p in ('/tmp', '/dev/shm'): open(p + '/left', 'w').close(); os.chmod(p + '/left', 0)"
    look = "import os; print(os.listdir('/tmp'), os.listdir('/dev/shm'))"
    for _ in range(2 * sandbox.concurrency):
        assert (await run(sandbox, leave)).exit_status == 0
        assert (await run(sandbox, look)).stdout == "[] []\n"


@check
async def trees_made_to_resist_removal_are_removed(sandbox: Sandbox) -> None:
    source = """
        import os
        for depth in range(1500):
            os.mkdir("d" * 10)
            os.chdir("d" * 10)
        os.symlink("/", "root")
        os.chmod(".", 0)
        os.chmod("/tmp/" + "d" * 10, 0)
        print("done")
    """
    look = "import os; print(os.listdir('/tmp'))"
    for _ in range(2):
        assert (await run(sandbox, _dedent(source))).stdout == "done\n"
        seen = await asyncio.gather(*(run(sandbox, look) for _ in range(sandbox.concurrency)))
        assert {each.stdout for each in seen} == {"[]\n"}


@check
async def semaphores_and_shared_memory_do_not_outlive_their_run(sandbox: Sandbox) -> None:
    source = """
        import os
        from multiprocessing import resource_tracker, shared_memory
        resource_tracker.register = lambda *_: None
        shared_memory.SharedMemory("left", create=True, size=4096)
        os._exit(0)
    """
    assert (await run(sandbox, _dedent(source))).ended == "exited"
    looks = [run(sandbox, "import os; print(os.listdir('/dev/shm'))") for _ in range(sandbox.concurrency)]
    assert {each.stdout for each in await asyncio.gather(*looks)} == {"[]\n"}


@check
async def daemons_are_killed_and_reported(sandbox: Sandbox) -> None:
    body = CALL_YOURSELF.format(name="contract-left").strip()
    done = await run(sandbox, DAEMON.format(body=body) + "time.sleep(0.2)\nprint('done')")
    assert done.stdout == "done\n"
    assert "leftover_process" in dict(done.execution.flags)
    assert named_processes("contract-left") == []


@check
async def a_daemon_that_holds_the_output_delays_nobody(sandbox: Sandbox) -> None:
    source = DAEMON.format(body="pass") + "print('done')"
    done = await run(sandbox, source, wall_seconds=300, total_seconds=300)
    assert (done.ended, done.stdout) == ("exited", "done\n")


@check
async def state_of_modules_does_not_outlive_a_run(sandbox: Sandbox) -> None:
    for _ in range(2 * sandbox.concurrency):
        done = await run(sandbox, "import math; print(math.pi); math.pi = 3; __builtins__['len'] = None")
        assert done.stdout.startswith("3.14")


@check
async def a_cancelled_run_is_gone_when_the_call_returns(sandbox: Sandbox) -> None:
    source = CALL_YOURSELF.format(name="contract-cancel") + "import os, time; os.fork(); time.sleep(60)"
    task = asyncio.create_task(sandbox.run(program(source, wall_seconds=60, total_seconds=60)))
    assert await until(lambda: len(named_processes("contract-cancel")) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert named_processes("contract-cancel") == []
    assert (await run(sandbox, "print('next')")).stdout == "next\n"


# Many runs


@check
async def more_jobs_than_boxes_wait_their_turn(sandbox: Sandbox) -> None:
    jobs = [run(sandbox, "print(input())", str(number)) for number in range(10 * sandbox.concurrency)]
    assert [int(each.stdout) for each in await asyncio.gather(*jobs)] == list(range(10 * sandbox.concurrency))


@check
async def results_do_not_depend_on_company_or_order(sandbox: Sandbox) -> None:
    sources = ["import os; os._exit(7)", "print({'b', 'a', 'c'})", "1 / 0", "import random; print(random.random())"]
    alone = [await run(sandbox, source) for source in sources]
    crowd = await asyncio.gather(*(run(sandbox, source) for source in reversed(sources * 4)))

    def facts(done: Run) -> tuple[object, ...]:
        return done.ended, done.exit_status, done.stdout, done.stderr

    assert [facts(each) for each in crowd] == [facts(each) for each in reversed(alone * 4)]


@check
async def many_runs_leak_no_process_and_no_descriptor(sandbox: Sandbox) -> None:
    warming = "import time; time.sleep(0.3)"  # long enough for every box to get one, and its warm interpreter
    await asyncio.gather(*(run(sandbox, warming) for _ in range(2 * sandbox.concurrency)))
    before = _held()
    await asyncio.gather(*(run(sandbox, "print(1)") for _ in range(100)))
    assert _held() <= before


@check
async def a_program_nobody_knows_is_the_sandbox_s_trouble(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError):
        await sandbox.run(Job(program="no_such_program", payload={}))
    assert (await run(sandbox, "print('next')")).stdout == "next\n"


# Birth and death of boxes


@life
async def a_closed_sandbox_refuses_jobs(maker: Maker) -> None:
    sandbox = maker.make()
    with pytest.raises(SandboxUnavailableError):
        await sandbox.run(program("print(1)"))
    await sandbox.start()
    await sandbox.close()
    await sandbox.close()
    with pytest.raises(SandboxUnavailableError):
        await sandbox.run(program("print(1)"))
    assert await maker.destroy_boxes() == 0


@life
async def closing_ends_running_and_waiting_jobs(maker: Maker) -> None:
    sandbox = maker.make(boxes=1)
    await sandbox.start()
    source = CALL_YOURSELF.format(name="contract-close") + "import time; time.sleep(300)"
    bounds = {"wall_seconds": 300, "total_seconds": 300}
    jobs = [asyncio.create_task(sandbox.run(program(source, **bounds))) for _ in range(3)]
    assert await until(lambda: len(named_processes("contract-close")) == 1)
    await sandbox.close()
    async with asyncio.timeout(60):
        ends = await asyncio.gather(*jobs, return_exceptions=True)
    assert all(isinstance(end, SandboxError) for end in ends), ends
    assert named_processes("contract-close") == []
    assert await maker.destroy_boxes() == 0


@life
async def a_job_survives_the_loss_of_its_box(maker: Maker) -> None:
    async with maker.make() as sandbox:
        source = CALL_YOURSELF.format(name="contract-loss") + "import time; time.sleep(1); print('well')"
        jobs = [asyncio.create_task(run(sandbox, source)) for _ in range(2)]
        assert await until(lambda: len(named_processes("contract-loss")) == 2)
        assert await maker.destroy_boxes() == 2
        assert [each.stdout for each in await asyncio.gather(*jobs)] == ["well\n", "well\n"]


@life
async def a_job_that_loses_two_boxes_is_given_up(maker: Maker) -> None:
    async with maker.make() as sandbox:
        job = asyncio.create_task(
            sandbox.run(program("import time; time.sleep(60)", wall_seconds=60, total_seconds=60))
        )
        async with asyncio.timeout(20):
            while not job.done():
                await asyncio.sleep(0.3)
                await maker.destroy_boxes()
        assert isinstance(job.exception(), SandboxError)
        assert (await run(sandbox, "print('next')")).stdout == "next\n"


def query(text: str, *, database: str = "CREATE TABLE t (x); INSERT INTO t VALUES (1), (2);") -> Job:
    """Return a job that runs a query; several of them may share a run."""
    payload = {
        "databases": [{"sql": base64.b64encode(database.encode()).decode()}],
        "queries": [text],
        "dialect": "",
        **dict.fromkeys(("derive", "writes", "count_steps", "reference"), False),
    }
    bounds = Limits(cpu_seconds=0.4, wall_seconds=10.0, total_seconds=20.0, memory_bytes=128 * MIB)
    return Job(program="sql_query", payload=payload, limits=bounds, company="responses")


ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@check
async def jobs_that_share_a_run_fare_as_alone(sandbox: Sandbox) -> None:
    odd = [query(ENDLESS), query("SELECT 1", database="no database"), query("SELECT x FROM nowhere")]
    jobs = [query("SELECT 1"), odd[0], query("SELECT sum(x) FROM t"), *odd[1:], odd[0], query("SELECT 2")]
    together = await sandbox.run_together(jobs)
    alone = [await sandbox.run(job) for job in jobs]
    assert [each.report for each in together] == [each.report for each in alone]
    assert [each.ending for each in together] == [each.ending for each in alone]
    assert [each.ending for each in together].count(Ending.CPU_LIMIT) == 2
    assert together[0].report["queries"][0]["results"][0]["tables"][""]["rows"] == [[1]]
    assert not any(each.flags or each.unexplained for each in together)
    assert all(each.usage.wall_seconds > 0 for each in together)


@check
async def jobs_that_share_a_run_need_not(sandbox: Sandbox) -> None:
    jobs = [program(f"print({i})") for i in range(3)]
    together = await sandbox.run_together(jobs)
    outputs: Any = [each.report["runs"] for each in together]
    assert [runs[0]["stdout"] for runs in outputs] == ["0\n", "1\n", "2\n"]


@life
async def jobs_that_share_a_run_survive_the_loss_of_its_box(maker: Maker) -> None:
    async with maker.make() as sandbox:
        await sandbox.run(query("SELECT 0"))
        counted = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) SELECT count(*)"
        jobs = [query(f"{counted} + {i} FROM n") for i in range(8)]
        running = asyncio.create_task(sandbox.run_together(jobs))
        await asyncio.sleep(0.1)
        assert await maker.destroy_boxes() == 2
        rows: Any = [each.report["queries"] for each in await running]
        assert [each[0]["results"][0]["tables"][""]["rows"] for each in rows] == [[[300000 + i]] for i in range(8)]


@check
async def a_program_that_kills_itself_is_answered(sandbox: Sandbox) -> None:
    died = await run(sandbox, "import os; os.kill(os.getpid(), 9)")
    assert (died.ended, died.exit_status) == ("killed", -9)


@check
async def a_trusted_run_that_is_killed_each_time_is_the_sandboxs_trouble(sandbox: Sandbox) -> None:
    # As the host would do it: unseen by the interpreter, which would not let the program kill itself.
    death = "ctypes.CDLL(None).kill(os.getpid(), 9)"
    checker = f"import ctypes, os\ndef check(stdin, stdout, expected):\n    {death}\n"
    job = program("print(1)")
    job = replace(job, payload={**job.payload, "checker": {"source": checker, "expected": ["1"]}})
    with pytest.raises(SandboxUnavailableError, match="killed or stopped from outside"):
        await sandbox.run(job)


LITTER = """
    import os, socket, subprocess, sys
    for place in (".", "/dev/shm"):
        open(f"{place}/left", "w").write("x")
        os.makedirs(f"{place}/deep/deeper", exist_ok=True)
        os.symlink("/etc/passwd", f"{place}/link")
        os.mkfifo(f"{place}/fifo")
        os.chmod(f"{place}/deep", 0)
    os.path.exists("socket") or socket.socket(socket.AF_UNIX).bind("socket")
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    os.fork()
    sys.exit(int(sys.stdin.read() or 0))
"""


@life
async def a_box_after_its_jobs_is_as_it_was_when_warm(maker: Maker) -> None:
    async with maker.make(boxes=1) as sandbox:
        call = {"function": "f", "args": [], "kwargs": {}}
        payload = {"source": "def f(): return 1", "calls": [call], "inputs": [""], "entry_point": "f", "prefix": ""}
        litter = "import os\nos.makedirs('deep/deeper')\nopen('deep/left', 'w')\nassert f() == 1"
        payload["programs"] = [{"code": litter, "framework": ""}]
        await sandbox.run(Job(program="python_code", payload=payload))
        (supervisor,) = await maker.supervisors()
        warm = box_state(supervisor)
        assert warm["processes"]
        for status in ("0", "3", ""):
            await run(sandbox, _dedent(LITTER), status)
        await run(sandbox, "while True: pass", cpu_seconds=0.3)
        await run(sandbox, "import os; os.kill(os.getpid(), 9)")
        await sandbox.run(Job(program="python_code", payload={**payload, "source": _dedent(LITTER)}))
        assert await maker.supervisors() == [supervisor]
        assert box_state(supervisor) == warm


@life
async def the_state_of_a_box_would_show_what_stays(maker: Maker) -> None:
    async with maker.make(boxes=1) as sandbox:
        await run(sandbox, "print(1)")
        (supervisor,) = await maker.supervisors()
        warm = box_state(supervisor)
        running = asyncio.create_task(run(sandbox, "open('left', 'w'); import time; time.sleep(1)"))
        assert await until(lambda: box_state(supervisor)["processes"] != warm["processes"])
        await running
        assert box_state(supervisor) == warm


def box_state(supervisor: int) -> dict[str, Any]:
    """Return what a box consists of, seen from the host: its processes, their descriptors, its files and mounts."""
    first = psutil.Process(supervisor)
    lasting = [first, *first.children(recursive=True)]
    try:
        root = Path(f"/proc/{supervisor}/root")
        places = [root / name for name in ("tmp", "dev/shm", "examiner")]
        return {
            "processes": sorted(process.pid for process in lasting),
            "descriptors": {process.pid: process.num_fds() for process in lasting},
            "files": sorted(str(path) for place in places for path in place.rglob("*")),
            "mounts": Path(f"/proc/{supervisor}/mounts").read_text(),
            "limits": Path(f"/proc/{supervisor}/limits").read_text(),
            "directories": [(oct(place.stat().st_mode), place.stat().st_uid) for place in places if place.exists()],
        }
    except PermissionError as error:
        pytest.skip(f"looking into another process's root needs root: {error}")
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return {"processes": []}  # one of them ended while it was looked at


@life
async def used_up_boxes_are_replaced(maker: Maker) -> None:
    async with maker.make(boxes=1, jobs_per_box=2) as sandbox:
        done = [await run(sandbox, "print('well')") for _ in range(5)]
        assert [each.stdout for each in done] == ["well\n"] * 5


@life
async def an_old_box_serves_until_the_next_is_ready(maker: Maker) -> None:
    async with maker.make(boxes=1, seconds_per_box=0.0) as sandbox:
        (first,) = await maker.supervisors()
        while first in (now := await maker.supervisors()):
            assert len(now) <= 2
            assert (await run(sandbox, "print('well')")).stdout == "well\n"
        assert (await run(sandbox, "print('well')")).stdout == "well\n"
    assert await maker.destroy_boxes() == 0


@life
async def a_sandbox_can_be_started_again(maker: Maker) -> None:
    sandbox = maker.make(boxes=1)
    for _ in range(2):
        async with sandbox:
            assert (await run(sandbox, "print('well')")).stdout == "well\n"


def _held() -> tuple[int, int]:
    """Return how many descriptors this process has, and how many descendants."""
    myself = psutil.Process()
    return myself.num_fds(), len(myself.children(recursive=True))


def _dedent(source: str) -> str:
    lines = source.strip("\n").splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines)
