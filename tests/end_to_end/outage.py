"""Kills the reward server in the middle of a training run, and starts it again later: no fault becomes a reward.

    python tests/end_to_end/outage.py [--policy wait|mask|stop|all] [--seconds 60] [--sandbox local|docker]

The run is real: vLLM on CPU, a model of random weights, a server process whose sandbox runs a grader in Python. The
server is killed with SIGKILL while a batch is being graded, stays away for so many seconds, and comes back at the same
address. What is asked of each `rewards.on_outage`:

    wait    every reward is bit for bit that of a run in peace
    mask    what could not be graded has no reward, everything else its own; afterwards the run learns on
    stop    the run ends with a checkpoint, and resumed when the server is back it is the run in peace

Exit status 1 when that is not so.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the matrices are small: more threads only wait for each other
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import argparse
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "support"))  # as pytest has it; this is a script, too

from tiny_run import trained, write_run  # noqa: E402 - as above

from trainer_client import RewardClient, Sample, Verdict  # noqa: E402 - as above
from trainer_client.training.checkpoint import Checkpoints  # noqa: E402 - as above
from trainer_client.training.run_log import METRICS, SAMPLES, read_lines  # noqa: E402 - as above
from trainer_client.training.scoring import OutageError  # noqa: E402 - as above
from trainer_client.training.session import quiet_libraries  # noqa: E402 - as above

POLICIES = ("wait", "mask", "stop")
GRADER = """
def grade(sample, item):
    text = sample["output_text"]
    return sum(letter.isascii() and letter.isalpha() for letter in text) / max(len(text), 1)
"""
"""A share of letters: a model of random weights begins with a fifth, and learns fast."""
TASK = {"pythonGrader": {"source": GRADER}}
CHANGES = (
    "groups_per_step=6",
    "replace_without_spread=0",
    "rollout.group_size=8",
    "rollout.sampling.max_tokens=24",
    "optimizer.learning_rate=6e-3",
    "output.samples=6",
    "evaluation.every=0",
)
_LEARNED = 0.05
"""By how much the mean reward rises at least, in a run that learns."""
Curve = tuple[list[dict[str, Any]], list[Any]]


class Server:
    """A reward server in a process of its own, with one address for all its lives."""

    def __init__(self, sandbox: str) -> None:
        self._sandbox = sandbox
        self.address = f"127.0.0.1:{_quiet_port()}"
        self.start()

    def start(self) -> None:
        """Start, and wait until it listens."""
        command = [sys.executable, "-m", "reward_server", "serve", "--listen", self.address, "--sandbox", self._sandbox]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        assert self.address in self._process.stdout.readline()

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._gone()

    def close(self) -> None:
        """End it in order."""
        self._process.terminate()
        self._gone()

    def _gone(self) -> None:
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def killed(server: Server, directory: Path, *, after: int, seconds: float) -> Iterator[None]:
    """Kill ``server`` when the run in ``directory`` has done ``after`` updates, and start it ``seconds`` later."""
    ended = threading.Event()

    def trouble() -> None:
        while not ended.is_set() and _updates(directory) < after:
            time.sleep(0.005)
        if not ended.is_set():
            server.kill()
            time.sleep(seconds)
            server.start()

    thread = threading.Thread(target=trouble)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@dataclass
class Experiment:
    """Runs of one seed: one in peace, and others whose server is killed after ``after`` updates."""

    folder: Path
    server: Server
    seconds: float
    steps: int
    after: int
    problems: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path = write_run(self.folder, self.server.address, lambda _: TASK)
        self.peace = self.train("peace")

    def train(self, name: str, *changes: str) -> Curve:
        """Run, or go on, in the folder ``name``; return the curve."""
        begun = time.monotonic()
        try:
            found: Curve = trained(self.path, *CHANGES, f"steps={self.steps}", f"output.directory={name}", *changes)
        finally:
            self.figures[f"{name}, seconds"] = round(time.monotonic() - begun, 1)
        return found

    def outage(self, policy: str) -> None:
        """Run with ``policy`` through an outage; note what is not as it should be."""
        {"wait": self.wait, "mask": self.mask, "stop": self.stop}[policy]()

    def wait(self) -> None:
        """The run stands still until the server is back, and nothing shows of it."""
        with killed(self.server, self.folder / "wait", after=self.after, seconds=self.seconds):
            found = self.train("wait", "rewards.patience_seconds=0")
        self._same("wait", found)
        longest = max(row["time/step"] for row in read_lines(self.folder / "wait" / METRICS))
        self.figures["wait, longest step"] = round(longest, 1)
        self._expect(longest >= self.seconds, f"wait: the longest step took {longest:.1f} s: there was no outage")

    def mask(self) -> None:
        """The run goes on without what cannot be graded."""
        patience = f"rewards.patience_seconds={self.seconds * 0.9}"
        with killed(self.server, self.folder / "mask", after=self.after, seconds=self.seconds):
            rows, _ = self.train("mask", "rewards.on_outage=mask", patience)
        hit = [row for row in rows if row["masked/share"] > 0]
        after = [row for row in rows if hit and row["step"] > hit[-1]["step"]]
        self.figures["mask, steps with masked samples"] = len(hit)
        self.figures["mask, of these without a reward at all"] = sum(row["masked/share"] == 1 for row in hit)
        self._expect(bool(hit), "mask: nothing was masked")
        self._expect(all(row["masked/share"] == row["masked/outage"] for row in hit), "mask: masked for other reasons")
        self._expect(
            all("reward/mean" not in row and "update/grad_norm" not in row for row in hit if row["masked/share"] == 1),
            "mask: something was learned from a batch without rewards",
        )
        self._expect(rows[: self.after] == self.peace[0][: self.after], "mask: it differs before the outage")
        self._own_rewards()
        self._rises("mask", rows[: self.after], after)

    def stop(self) -> None:
        """The run ends, its checkpoint is whole, and goes on when the server is back."""
        changes = ("rewards.on_outage=stop", f"rewards.patience_seconds={min(self.seconds / 4, 10.0)}")
        with killed(self.server, self.folder / "stop", after=self.after, seconds=self.seconds):
            try:
                self.train("stop", *changes)
            except OutageError as error:
                self.figures["stop, said"] = str(error)
            else:
                self.problems.append("stop: the run went on")
        newest = Checkpoints(self.folder / "stop" / "checkpoints", keep=9).newest()
        done = _updates(self.folder / "stop")
        self.figures["stop, updates before"] = done
        self._expect(newest is not None and newest.step == done, f"stop: no checkpoint of update {done}")
        self._same("stop", self.train("stop", *changes))

    def _same(self, name: str, found: Curve) -> None:
        differing = [
            f"step {mine['step']}: {key} {mine.get(key)} instead of {value}"
            for mine, peace in zip(found[0], self.peace[0], strict=False)
            for key, value in peace.items()
            if mine.get(key) != value
        ]
        self.problems += [f"{name}: {text}" for text in differing[:5]]
        self._expect(found == self.peace, f"{name}: the curve is not that of the run in peace")

    def _own_rewards(self) -> None:
        """See that the samples written down have the reward that the server gives them now, or none."""
        rows = list(read_lines(self.folder / "mask" / SAMPLES))
        with RewardClient(self.server.address) as client:
            results = client.score([Sample(TASK, row["response"]) for row in rows])
        masked = 0
        for row, result in zip(rows, results, strict=True):
            assert isinstance(result, Verdict)
            masked += row["masked"] == "outage"
            wanted = None if row["masked"] == "outage" else result.score
            self._expect(row["reward"] == wanted, f"mask: step {row['step']}: {row['reward']} instead of {wanted}")
        self.figures["mask, samples compared"] = f"{len(rows)}, {masked} of them masked"

    def _rises(self, name: str, before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> None:
        """See that what is learned after the outage is learned well."""
        if not self._expect(bool(after), f"{name}: no step after the outage"):
            return
        first, last = (statistics.fmean(row["reward/mean"] for row in rows) for rows in (before, after[-3:]))
        self.figures[f"{name}, reward"] = f"{first:.3f} before, {last:.3f} at the end"
        self._expect(all(row["update/grad_norm"] > 0 for row in after), f"{name}: a step after the outage is empty")
        self._expect(last - first >= _LEARNED, f"{name}: the reward is {first:.3f} before and {last:.3f} at the end")

    def _expect(self, true: bool, text: str) -> bool:  # noqa: FBT001 - an assertion that goes on
        if not true:
            self.problems.append(text)
        return true


def _quiet_port() -> int:
    """Return a free port that no program is given by chance, so that it is still free after the outage."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def _updates(directory: Path) -> int:
    return len(list(read_lines(directory / METRICS)))


@contextmanager
def experiment(
    *, seconds: float, steps: int, after: int, sandbox: str = "local", folder: Path | None = None
) -> Iterator[Experiment]:
    """Yield an experiment whose run in peace is done; end its server afterwards."""
    quiet_libraries()
    with tempfile.TemporaryDirectory() as temporary, closing(Server(sandbox)) as server:
        yield Experiment(folder or Path(temporary), server, seconds, steps, after)


def main() -> None:
    """Run the command line described at the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policy", choices=(*POLICIES, "all"), default="all")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--sandbox", choices=("local", "docker"), default="local")
    parser.add_argument("--steps", type=int, default=40)
    arguments = parser.parse_args()
    chosen = POLICIES if arguments.policy == "all" else (arguments.policy,)
    with experiment(seconds=arguments.seconds, steps=arguments.steps, after=5, sandbox=arguments.sandbox) as made:
        for policy in chosen:
            made.outage(policy)
    for name, value in made.figures.items():
        sys.stdout.write(f"{name}: {value}\n")
    sys.stdout.write("\n".join(made.problems or ["no fault became a reward"]) + "\n")
    sys.exit(bool(made.problems))


if __name__ == "__main__":
    main()
