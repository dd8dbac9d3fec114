"""A real server process with a real sandbox, and the client that trainers use."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from trainer_client import OverloadedError, RetryPolicy, RewardClient, RewardError, Sample, Verdict, reward

ROOT = Path(__file__).parents[2]
TASK = {"taskId": "one", "codeTests": {"entryPoint": "one", "callTests": [{"expected": "1"}]}}
IMPATIENT = RetryPolicy(attempts=1)


def sample(number: int, pause: float = 0.0) -> Sample:
    return Sample(TASK, f"```python\nimport time\ndef one():\n    time.sleep({pause})\n    return 1  # {number}\n```")


@contextmanager
def server(tmp_path: Path, **settings: int) -> Iterator[tuple[str, psutil.Process]]:
    """Run a server of one box with ``settings``; yield its address and process, and end it by force if it lives."""
    config = tmp_path / "server.toml"
    config.write_text("".join(f"{name} = {value}\n" for name, value in {"boxes": 1, **settings}.items()))
    command = [sys.executable, "-m", "reward_server", "serve", "--listen", "127.0.0.1:0", "--sandbox", "local"]
    with subprocess.Popen([*command, "--config", str(config)], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process.stdout.readline().split()[-1], psutil.Process(process.pid)
        finally:
            process.terminate()


def test_overload_is_refused_then_taken(tmp_path):
    """A request past the queue is refused whole, with a time to come back; a patient client gets all its verdicts."""
    with (
        server(tmp_path, max_queued_samples=8, max_samples_per_request=8) as (address, _),
        RewardClient(address, token="") as client,
    ):
        client.capabilities()
        busy = threading.Thread(target=client.score, args=([sample(i, 1.0) for i in range(6)],))
        busy.start()
        time.sleep(1.5)
        with RewardClient(address) as impatient:
            impatient.capabilities()
            with pytest.raises(OverloadedError):
                impatient.score([sample(i) for i in range(100, 108)], timeout_seconds=0.4)
        results = client.score([sample(i) for i in range(200, 208)], timeout_seconds=60)
        busy.join()
    assert [reward(result) for result in results] == [1.0] * 8


def test_sigterm_loses_nothing(tmp_path):
    """After SIGTERM all that was accepted is graded, new calls are refused, and the process ends well."""
    got = {}

    def ask(number: int) -> None:
        with RewardClient(address) as client:
            got[number] = client.score([sample(100 * number + i, 0.2) for i in range(4)])

    with server(tmp_path) as (address, process):
        with RewardClient(address) as client:
            assert client.health()
        callers = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
        for caller in callers:
            caller.start()
        time.sleep(0.8)
        children = process.children(recursive=True)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with RewardClient(address, retries=IMPATIENT) as late, pytest.raises(RewardError):
            late.score([sample(999)], timeout_seconds=0.5)
        for caller in callers:
            caller.join()
        process.wait(30)
    assert sorted(got) == [0, 1, 2]
    assert all(reward(result) == 1.0 for results in got.values() for result in results)
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_leaving_a_call_stops_its_runs(tmp_path):
    """What a caller no longer waits for stops running: the box is free for others at once."""
    with server(tmp_path) as (address, _), RewardClient(address, retries=IMPATIENT) as client:
        client.score([sample(0)])
        results = client.score([sample(1, 25.0), sample(2, 25.0)], timeout_seconds=1.0)
        assert [reward(result) for result in results] == [None, None]
        (after,) = client.score([sample(3)], timeout_seconds=20)
        assert reward(after) == 1.0


def test_ten_thousand_samples_leak_nothing(tmp_path):
    """After ten thousand samples the server has the processes, files and memory it had after the first thousand."""
    answer = {"taskId": "sum", "mathAnswer": {"expected": "-7"}}
    wrong = 0
    with server(tmp_path, verdict_memory_bytes=1_000_000) as (address, process), RewardClient(address) as client:
        for round_number in range(10):
            numbers = range(round_number * 1000, round_number * 1000 + 1000)
            batch = [sample(n) if n % 20 == 0 else Sample(answer, rf"Number {n}: \boxed{{-7}}") for n in numbers]
            wrong += sum(not isinstance(result, Verdict) for result in client.score(batch))
            if round_number == 0:
                before = footprint(process)
        after = footprint(process)
    assert wrong == 0
    assert after["processes"] <= before["processes"]
    assert after["files"] <= before["files"] + 2
    assert after["memory"] <= before["memory"] + (30 << 20)


def footprint(process: psutil.Process) -> dict[str, int]:
    """Return what the server and its boxes hold."""
    time.sleep(0.5)
    family = [process, *process.children(recursive=True)]
    return {
        "processes": len(family),
        "files": process.num_fds(),
        "memory": process.memory_info().rss,
    }
