"""Measure how many small samples a server grades in a second, and where the time goes.

    python benchmarks/throughput.py [--workload python|math|sql|json] [--sandbox auto|docker|local] [--seconds 10]
                                    [--json FILE]

Every sample is a different response to one of eight tasks, so that nothing is shared or remembered; see workloads.py.
Two floors stand beside the figure: a bare fork of this interpreter with the same work in the child, and the same work
called in this process.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from workloads import FLIGHTS, NAMES, Workload, workload

from reward_server.child import child_server
from trainer_client import Result, RewardClient, reward

BATCH = 64


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured."""

    machine: str
    workload: str
    sandbox: str
    concurrency: int
    samples: int
    samples_per_second: float
    batch_milliseconds_median: float
    batch_milliseconds_p99: float
    run_milliseconds_median: float
    queue_milliseconds_median: float
    fork_floor_per_second: float
    call_floor_per_second: float
    server_share: float
    """Of the time that the server's workers had, how much was spent in runs; the rest is transport and waiting."""


def forked(call: Callable[[int], bool], number: int) -> bool:
    """Do the work in a bare fork: no isolation, no limits, no wire."""
    child = os.fork()
    if child == 0:
        os._exit(0 if call(number) else 1)
    return os.waitpid(child, 0)[1] == 0


def per_second(task: Callable[[int], bool], seconds: float) -> float:
    """Return how often ``task`` is done in a second, on one core."""
    end, done = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        if not task(done):
            raise SystemExit("the floor itself is wrong")
        done += 1
    return done / seconds


def drive(address: str, work: Workload, seconds: float) -> tuple[list[Result], list[float], float]:
    """Send batches from a few threads for ``seconds``; return results, seconds of each batch, seconds in all."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - threads only after the forks of the floor

    results: list[Result] = []
    batches: list[float] = []
    with RewardClient(address, run_id="throughput") as client, ThreadPoolExecutor(FLIGHTS) as threads:
        client.score(list(islice(work.samples(FLIGHTS), BATCH)))  # warm
        begun = time.perf_counter()

        def fly(flight: int) -> None:
            feed = work.samples(flight)
            while time.perf_counter() - begun < seconds:
                batch = list(islice(feed, BATCH))
                sent = time.perf_counter()
                results.extend(client.score(batch))
                batches.append(time.perf_counter() - sent)

        list(threads.map(fly, range(FLIGHTS)))
        return results, batches, time.perf_counter() - begun


def measure(name: str, sandbox: str, seconds: float) -> Figures:
    """Return the figures of this machine."""
    work = workload(name)
    forks, calls = per_second(partial(forked, work.call), 2.0), per_second(work.call, 1.0)
    with child_server("--sandbox", sandbox) as address:
        with RewardClient(address) as client:
            server = client.capabilities()
        results, batches, took = drive(address, work, seconds)
    if wrong := [result for result in results if reward(result) != 1.0]:
        raise SystemExit(f"{len(wrong)} of {len(results)} samples were not accepted, e.g. {wrong[0]}")
    runs = [result.provenance.run_seconds for result in results]
    queues = [result.provenance.queue_seconds for result in results]
    return Figures(
        machine=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        workload=name,
        sandbox=server.sandbox.runtime,
        concurrency=server.concurrency,
        samples=len(results),
        samples_per_second=len(results) / took,
        batch_milliseconds_median=1000 * statistics.median(batches),
        batch_milliseconds_p99=1000 * sorted(batches)[int(0.99 * (len(batches) - 1))],
        run_milliseconds_median=1000 * statistics.median(runs),
        queue_milliseconds_median=1000 * statistics.median(queues),
        fork_floor_per_second=forks,
        call_floor_per_second=calls,
        server_share=sum(runs) / (took * server.concurrency),
    )


def main() -> None:
    """Run the command line described at the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", default="python", choices=NAMES)
    parser.add_argument("--sandbox", default="auto", choices=("auto", "docker", "local"))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    figures = measure(arguments.workload, arguments.sandbox, arguments.seconds)
    for name, value in asdict(figures).items():
        print(f"{name.replace('_', ' '):<28} {value:,.3g}" if isinstance(value, float) else f"{name:<28} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(figures), indent=2) + "\n")


if __name__ == "__main__":
    main()
