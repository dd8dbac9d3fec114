"""Measure what each layer of isolation costs a run, as ratios within one interleaved measurement.

    python benchmarks/isolation.py [--sandbox local|docker] [--rounds 5] [--runs 150]

A run is one call test in one box, one after the other. Layers are left out one at a time, and all that can be; nothing
graded so is ever served. The floor is a bare fork of this interpreter.
"""

import argparse
import asyncio
import os
import statistics
import time

from sandboxes.base import Job
from sandboxes.box_pool import BoxPool
from sandboxes.docker_sandbox import DockerSandbox
from sandboxes.local_sandbox import LocalSandbox

VARIANTS: dict[str, tuple[str, ...]] = {
    "all layers": (),
    "without Landlock": ("landlock",),
    "without seccomp": ("seccomp",),
    "without both": ("landlock", "seccomp"),
}
JOB = Job(
    program="python_code",
    payload={
        "source": "def f(x):\n    return x + 1\n",
        "calls": [{"function": "f", "args": [1], "kwargs": {}}],
        "inputs": [],
        "programs": [],
        "entry_point": "f",
    },
)


async def milliseconds_per_run(sandbox: BoxPool, runs: int) -> float:
    """Return the mean time of ``runs`` consecutive runs."""
    begun = time.perf_counter()
    for _ in range(runs):
        await sandbox.run(JOB)
    return (time.perf_counter() - begun) / runs * 1e3


def bare_fork_milliseconds(runs: int) -> float:
    """Return the mean time of a fork of this interpreter that ends at once."""
    begun = time.perf_counter()
    for _ in range(runs):
        if (child := os.fork()) == 0:
            os._exit(0)
        os.waitpid(child, 0)
    return (time.perf_counter() - begun) / runs * 1e3


async def measure(kind: type[BoxPool], rounds: int, runs: int) -> dict[str, list[float]]:
    """Return the milliseconds of every round, by variant; rounds interleave the variants."""
    sandboxes = {
        name: kind(boxes=1, warm=("code_tests.candidate",), without=without) for name, without in VARIANTS.items()
    }
    figures: dict[str, list[float]] = {name: [] for name in (*VARIANTS, "bare fork")}
    try:
        for sandbox in sandboxes.values():
            await sandbox.start()
            await milliseconds_per_run(sandbox, 20)
        for _ in range(rounds):
            for name, sandbox in sandboxes.items():
                figures[name].append(await milliseconds_per_run(sandbox, runs))
            figures["bare fork"].append(bare_fork_milliseconds(runs))
    finally:
        for sandbox in sandboxes.values():
            await sandbox.close()
    return figures


def main() -> None:
    """Run the command line described at the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sandbox", choices=("local", "docker"), default="local")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=150)
    arguments = parser.parse_args()
    kind = LocalSandbox if arguments.sandbox == "local" else DockerSandbox
    figures = asyncio.run(measure(kind, arguments.rounds, arguments.runs))
    whole = statistics.median(figures["all layers"])
    print(f"{arguments.sandbox}, median of {arguments.rounds} rounds of {arguments.runs} runs")
    for name, rounds in figures.items():
        median = statistics.median(rounds)
        print(
            f"{name:18} {median:7.2f} ms  {median / whole:5.2f} of all layers  ({min(rounds):.2f} to {max(rounds):.2f})"
        )


if __name__ == "__main__":
    main()
