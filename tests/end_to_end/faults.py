"""Injects faults under load and compares verdicts with a quiet run: the same but for Failures, and nothing lost.

    python tests/end_to_end/faults.py --sandbox local|docker [--seconds 120] [--seed 1]

Faults: runs, zygotes, supervisors and whole boxes are killed or stopped for a while; clients vanish in the middle of a
stream; malformed and oversized messages arrive. Exit status 1 when a verdict differs, a sample is lost or something of
the server stays behind.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import psutil

from trainer_client import Failure, Result, RetryPolicy, RewardClient, RewardError, Sample

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
_EVERY = {"code_tests": 4, "sql_query": 3, "math_answer": 6, "json_extraction": 6}
UNSTEADY = ("TIME_LIMIT", "MEMORY_LIMIT")
_BATCH = 16
_SELF_KILLED = "os.kill(os.getpid()"


@dataclass
class Report:
    """What came of the faulty run."""

    verdicts: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def workload() -> list[Sample]:
    """Return samples over all graders whose verdicts do not depend on time."""
    samples = []
    for name, step in _EVERY.items():
        lines = (VECTORS / f"{name}.jsonl").read_text("utf-8").splitlines()
        for line in lines[::step]:
            vector = json.loads(line)
            wanted = str(vector["expect"])
            if any(word in wanted for word in UNSTEADY) or "limits" in vector["record"]["task"]:
                continue
            task = {"taskId": f"task-{len(samples)}", **vector["record"]["task"]}
            samples.append(Sample(task, vector["record"]["samples"][0]["response"]))
    return samples


def outcome(result: Result) -> str:
    """Return what must not change between runs; a retryable Failure is nothing."""
    if isinstance(result, Failure):
        return "" if result.retryable else f"failure {result.reason}"
    return f"{result.ruling} {result.score:.9f} {[(check.name, check.score) for check in result.checks]}"


@contextmanager
def server(sandbox: str) -> Iterator[tuple[str, psutil.Process]]:
    """Run a server without a memory of verdicts; see that nothing of it stays."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write("verdict_memory_bytes = 0\nboxes = 2\n")
        config.flush()
        command = [sys.executable, "-m", "reward_server", "serve", "--listen", "127.0.0.1:0", "--sandbox", sandbox]
        with subprocess.Popen(
            [*command, "--config", config.name], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            assert process.stdout is not None
            try:
                yield process.stdout.readline().split()[-1], psutil.Process(process.pid)
            finally:
                process.terminate()
                process.wait(60)


class Injector:
    """Makes trouble for one server until it is told to stop."""

    def __init__(
        self, address: str, process: psutil.Process, sandbox: str, dice: random.Random, report: Report
    ) -> None:
        self._address, self._process, self._dice, self._report = address, process, dice, report
        self._docker = sandbox == "docker"
        self._faults: list[Callable[[], None]] = [
            *(self.kill_something, self.kill_something, self.stop_something),
            *(self.vanish, self.send_nonsense, self.send_too_much),
        ]
        if self._docker:
            self._faults.append(self.kill_box)

    def run(self, until: float) -> None:
        """Inject a fault every fraction of a second."""
        while time.monotonic() < until:
            fault = self._dice.choice(self._faults)
            with suppress(psutil.Error, ProcessLookupError, subprocess.SubprocessError, IndexError):  # no victim now
                fault()
                self._report.faults[fault.__name__] += 1
            time.sleep(self._dice.uniform(0.05, 0.4))

    def kill_something(self) -> None:
        """Kill any process of any box: a run, a zygote, a supervisor."""
        os.kill(self._dice.choice(self._inside()).pid, signal.SIGKILL)

    def stop_something(self) -> None:
        """Stop any process of any box for a while."""
        victim = self._dice.choice(self._inside())
        os.kill(victim.pid, signal.SIGSTOP)
        time.sleep(self._dice.uniform(0.2, 1.5))
        os.kill(victim.pid, signal.SIGCONT)

    def kill_box(self) -> None:
        """Kill a container by its daemon."""
        subprocess.run(["docker", "kill", self._dice.choice(boxes())], check=True, capture_output=True, timeout=30)

    def vanish(self) -> None:
        """Ask for much and leave after the first result."""
        with (
            RewardClient(self._address, retries=RetryPolicy(attempts=1)) as client,
            suppress(RewardError, StopIteration),
        ):
            stream = client.stream(workload()[:30], timeout_seconds=20)
            next(stream)

    def send_nonsense(self) -> None:
        """Send bytes that are no message; the server must say so."""
        self._expect(self._dice.randbytes(200), {grpc.StatusCode.INVALID_ARGUMENT})

    def send_too_much(self) -> None:
        """Send a message past the published limit."""
        self._expect(bytes(65 << 20), {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT})

    def _expect(self, data: bytes, codes: set[grpc.StatusCode]) -> None:
        with grpc.insecure_channel(self._address, options=[("grpc.max_send_message_length", -1)]) as channel:
            try:
                channel.unary_unary("/reward.v1.RewardService/Score")(data, timeout=20)
            except grpc.RpcError as error:
                if error.code() not in codes | {grpc.StatusCode.UNAVAILABLE}:
                    self._report.problems.append(f"a bad message got {error.code()}: {error.details()}")
            else:
                self._report.problems.append("a bad message was answered")

    def _inside(self) -> list[psutil.Process]:
        if not self._docker:
            return [child for child in self._process.children(recursive=True) if child.ppid() != self._process.pid]
        roots = [psutil.Process(pid) for pid in container_pids()]
        return [process for root in roots for process in (root, *root.children(recursive=True))]


def boxes() -> list[str]:
    """Return the running boxes' container ids."""
    listed = subprocess.run(
        ["docker", "ps", "--quiet", "--filter", "label=reward-server.box"], check=True, capture_output=True, text=True
    )
    return listed.stdout.split()


def container_pids() -> list[int]:
    """Return the host's ids of the running boxes' first processes."""
    pids = []
    for box in boxes():
        found = subprocess.run(
            ["docker", "inspect", "-f", "{{.State.Pid}}", box], capture_output=True, text=True, check=False
        )
        pids += [int(word) for word in found.stdout.split() if word.isdigit() and word != "0"]
    return pids


def grade_until(
    address: str, samples: list[Sample], quiet: dict[int, str], until: float, seed: int, report: Report
) -> None:
    """Grade random batches and compare; every sample must be answered exactly once."""
    dice = random.Random(seed)
    with RewardClient(address) as client:
        while time.monotonic() < until:
            picked = dice.sample(range(len(samples)), _BATCH)
            try:
                results = client.score([samples[i] for i in picked], timeout_seconds=120)
            except RewardError as error:
                report.problems.append(f"a call failed: {error}")
                continue
            if len(results) != len(picked):
                report.problems.append(f"{len(picked)} samples, {len(results)} results")
            for i, result in zip(picked, results, strict=True):
                compare(i, outcome(result), result, quiet, report)


def compare(number: int, said: str, result: Result, quiet: dict[int, str], report: Report) -> None:
    """Count a result, and note a verdict that is not the quiet run's."""
    if not said:
        report.failures[str(getattr(result, "reason", ""))] += 1
        return
    report.verdicts += 1
    if said != quiet[number]:
        report.problems.append(f"sample {number}: {said} instead of {quiet[number]}")


def inject(sandbox: str, seconds: float, seed: int) -> Report:
    """Run the quiet pass, then the faulty one; return what was found."""
    report = Report()
    samples = workload()
    with server(sandbox) as (address, process):
        with RewardClient(address) as client:
            quiet = {i: outcome(result) for i, result in enumerate(client.score(samples, timeout_seconds=300))}
        until = time.monotonic() + seconds
        injector = Injector(address, process, sandbox, random.Random(seed), report)
        arguments = [(address, samples, quiet, until, seed + i, report) for i in range(3)]
        threads = [threading.Thread(target=grade_until, args=each) for each in arguments]
        threads.append(threading.Thread(target=injector.run, args=(until,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        family = process.children(recursive=True)
    leftovers = [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    report.problems += [f"process {child.pid} stays" for child in leftovers]
    if sandbox == "docker":
        report.problems += [f"container {box} stays" for box in boxes()]
    return report


def main() -> None:
    """Run the command line described at the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sandbox", choices=("local", "docker"), default="local")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    report = inject(arguments.sandbox, arguments.seconds, arguments.seed)
    lines = [f"{report.verdicts} verdicts as in the quiet run", f"failures: {dict(report.failures)}"]
    lines += [
        f"faults: {dict(report.faults)}",
        *(report.problems[:20] or ["nothing lost, nothing forged, nothing left"]),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(bool(report.problems))


if __name__ == "__main__":
    main()
