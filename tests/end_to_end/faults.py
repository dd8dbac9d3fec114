"""Injects faults under load and compares verdicts with a quiet run: the same but for Failures, and nothing lost.

    python tests/end_to_end/faults.py [--sandbox local|docker|both] [--seconds 300] [--seed 1]

Faults: candidates, examiners, warm interpreters, supervisors, containers and the Docker daemon (one of this script's
own, where root may start it) are killed or stopped for a while; responses fill their directories; clients vanish,
dawdle and break off; malformed and oversized messages arrive. Exit status 1 when a verdict differs, a sample is lost,
an answer comes after its limit, the server is not as before afterwards, or something of it stays behind.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "support"))  # as pytest has it; this is a script, too

from fault_injection import Injector  # noqa: E402 - as above
from private_daemon import MISSING, Daemon, private_daemon  # noqa: E402 - as above

from trainer_client import Failure, Result, RewardClient, RewardError, Sample  # noqa: E402 - as above

IMAGE = "reward-sandbox:latest"
_EVERY = {
    "vectors/code_tests": 4,
    "vectors/sql_query": 3,
    "vectors/math_answer": 6,
    "vectors/json_extraction": 6,
    "vectors/python_grader": 4,
    "vectors/composite": 9,
    "attacks/shared_process": 5,
    "attacks/equality": 4,
}
UNSTEADY = ("TIME_LIMIT", "MEMORY_LIMIT")
_BATCH = 16
_TIMEOUT_SECONDS = 300.0
_USUAL_SECONDS = 0.03
"""What a sample takes in a quiet pass on a machine that has nothing else to do."""


@dataclass
class Report:
    """What came of the faulty run."""

    verdicts: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def workload() -> list[Sample]:
    """Return samples over all graders whose verdicts do not depend on time."""
    samples = []
    for name, step in _EVERY.items():
        lines = (ROOT / "tests" / f"{name}.jsonl").read_text("utf-8").splitlines()
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
def server(sandbox: str, environment: dict[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    """Run a server without a memory of verdicts; see that nothing of it stays."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write('verdict_memory_bytes = 0\nboxes = 2\nminimum_assurance = "low"\n')
        config.flush()
        command = [sys.executable, "-m", "reward_server", "serve", "--listen", "127.0.0.1:0", "--sandbox", sandbox]
        with subprocess.Popen(
            [*command, "--config", config.name],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment},
        ) as process:
            assert process.stdout is not None
            try:
                yield process.stdout.readline().split()[-1], psutil.Process(process.pid)
            finally:
                process.terminate()
                process.wait(60)


class Containers:
    """The boxes on one daemon: its own, or those that have come to another since this was made."""

    def __init__(self, daemon: Daemon | None) -> None:
        self._command = ["docker", *(["-H", daemon.host] if daemon else [])]
        self._others: set[str] = set()
        self._others = set() if daemon else set(self.ids())

    def ids(self) -> list[str]:
        """Return the running boxes' container ids; none while the daemon is away."""
        listed = self._docker("ps", "--quiet", "--filter", "label=reward-server.box").split()
        return [box for box in listed if box not in self._others]

    def pids(self) -> list[int]:
        """Return the host's ids of the running boxes' first processes."""
        said = [self._docker("inspect", "-f", "{{.State.Pid}}", box) for box in self.ids()]
        return [int(word) for text in said for word in text.split() if word.isdigit() and word != "0"]

    def _docker(self, *words: str) -> str:
        return subprocess.run([*self._command, *words], capture_output=True, text=True, check=False).stdout


def grade_until(
    address: str, samples: list[Sample], quiet: dict[int, str], until: float, seed: int, report: Report
) -> None:
    """Grade random batches and compare; every sample must be answered exactly once."""
    dice = random.Random(seed)
    with RewardClient(address) as client:
        while (begun := time.monotonic()) < until:
            picked = dice.sample(range(len(samples)), _BATCH)
            try:
                results = client.score([samples[i] for i in picked], timeout_seconds=_TIMEOUT_SECONDS)
            except RewardError as error:
                report.problems.append(f"a call failed: {error}")
                continue
            report.slowest_seconds = max(report.slowest_seconds, time.monotonic() - begun)
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
        why = (result.message if isinstance(result, Failure) else result.summary)[:300]
        report.problems.append(f"sample {number}: {said} instead of {quiet[number]} ({why})")


def all_quiet(client: RewardClient, samples: list[Sample]) -> dict[int, str]:
    """Return the outcomes of all samples while nothing is injected."""
    results = client.score(samples, timeout_seconds=2 * _TIMEOUT_SECONDS)
    return {i: outcome(result) for i, result in enumerate(results)}


def inject(sandbox: str, seconds: float, seed: int) -> Report:
    """Run the quiet pass, the faulty one, and a quiet one again; return what was found."""
    report = Report()
    samples = workload()
    with ExitStack() as stack:
        daemon = stack.enter_context(private_daemon(IMAGE)) if sandbox == "docker" and not MISSING else None
        containers = Containers(daemon) if sandbox == "docker" else None
        environment = {"DOCKER_HOST": daemon.host} if daemon else {}
        with server(sandbox, environment) as (address, process), RewardClient(address) as client:
            begun = time.monotonic()
            quiet = all_quiet(client, samples)
            pace = max(1.0, (time.monotonic() - begun) / len(samples) / _USUAL_SECONDS)
            until = time.monotonic() + seconds
            boxes = containers.pids if containers else None
            dice = random.Random(seed)
            injector = Injector(address, process, dice, samples, boxes=boxes, daemon=daemon, pace=pace)
            loads = [(address, samples, quiet, until, seed + i, report) for i in range(3)]
            _run_all([injector.trouble_boxes, injector.trouble_callers], until, loads)
            report.faults.update(injector.done)
            report.problems += injector.problems
            after = all_quiet(client, samples)
            report.problems += [
                f"sample {i} afterwards: {said or 'a failure'} instead of {quiet[i]}"
                for i, said in after.items()
                if said != quiet[i]
            ]
            family = process.children(recursive=True)
        leftovers = [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
        report.problems += [f"process {child.pid} stays" for child in leftovers]
        report.problems += [f"container {box} stays" for box in (containers.ids() if containers else ())]
    return report


def _run_all(
    troubles: list[Callable[[float], None]],
    until: float,
    loads: list[tuple[str, list[Sample], dict[int, str], float, int, Report]],
) -> None:
    threads = [threading.Thread(target=grade_until, args=each) for each in loads]
    threads += [threading.Thread(target=each, args=(until,)) for each in troubles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Run the command line described at the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sandbox", choices=("local", "docker", "both"), default="local")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    problems = 0
    for sandbox in ("local", "docker") if arguments.sandbox == "both" else (arguments.sandbox,):
        report = inject(sandbox, arguments.seconds, arguments.seed)
        lines = [
            f"{sandbox}: {report.verdicts} verdicts compared, the slowest call {report.slowest_seconds:.0f} s",
            f"failures: {dict(report.failures)}",
            f"faults: {dict(report.faults)}",
            *(report.problems[:20] or ["nothing lost, nothing forged, nothing left"]),
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        problems += len(report.problems)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
