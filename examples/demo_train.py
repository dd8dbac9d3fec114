"""Train a tiny model on a CPU, from nothing, without downloads: warm start, GRPO over several seeds, and a report.

    python examples/demo_train.py [--sandbox auto|docker|local] [--seeds 3] [--steps 60] [--folder build/demo-train]

Everything is real but the size: vLLM generates, a reward server of its own process grades in sandboxes, torch updates.
The model and the tasks are made here; see demo_train_tasks.py. A second run goes on where an interrupted one stopped.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the matrices are small: more threads only wait for each other
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # vLLM tells which memory it binds, at each start

import argparse
import math
import re
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo_train_tasks import KINDS, write_tasks
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from reward_server.child import ServerDiedError, child_server
from trainer_client.training.config import load
from trainer_client.training.report import write_report
from trainer_client.training.run_log import EVALUATIONS, METRICS, read_lines
from trainer_client.training.screen import Screen
from trainer_client.training.session import quiet_libraries
from trainer_client.training.sft import sft
from trainer_client.training.tiny_model import make_tiny_model, make_tokenizer
from trainer_client.training.train import StoppedError, train

TASKS, HELD_OUT = 4_000, 60
Z = 1.96
CONFIG = """\
name = "demo"
steps = 60
groups_per_step = 16
ahead = 1                          # the next groups are written and graded while these are learned from

[model]
name = "./warm/sft/model"          # what `trainer-client sft` has made of ./model
gradient_checkpointing = false

[rollout]
group_size = 8
max_model_len = 128
max_sequences = 32                 # so that early groups are graded while later ones are written
kv_cache_gib = 0.25
sampling = { max_tokens = 40 }

[loss]
preset = "dr_grpo"

[optimizer]
learning_rate = 5e-4
betas = [0.9, 0.95]

[data]
tasks = [{ path = "arithmetic.jsonl" }, { path = "sql.jsonl" }, { path = "extraction.jsonl" }]

[curriculum]
mode = "difficulty"

[sft]
epochs = 4
samples_per_step = 64
learning_rate = 4e-3

[evaluation]
every = 30
samples = 4
held_out = [
  { path = "arithmetic_held_out.jsonl" }, { path = "sql_held_out.jsonl" }, { path = "extraction_held_out.jsonl" },
]

[output]
save_every = 30
"""


def main() -> int:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sandbox", default="auto", choices=("auto", "docker", "local"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=Path("build/demo-train"))
    arguments = parser.parse_args()
    quiet_libraries()
    begun = time.monotonic()
    try:
        with child_server("--sandbox", arguments.sandbox) as address, Screen() as screen:
            os.nice(10)  # two cores for all: grading is short and waited for, so it goes first
            prepare(arguments.folder, screen)
            runs = [run(arguments.folder, address, seed, arguments.steps, screen) for seed in range(arguments.seeds)]
    except (ServerDiedError, StoppedError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        return 2
    except KeyboardInterrupt:
        return 130
    summarize(arguments.folder, runs, time.monotonic() - begun)
    return 0


def prepare(folder: Path, screen: Screen) -> None:
    """Make tasks, a tokenizer and a model of about 0.2 million weights, and warm the model up."""
    if (folder / "warm" / "sft" / "model" / "model.safetensors").exists():
        screen.say(f"The warm start in {folder} is taken as it is")
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.toml").write_text(CONFIG, "utf-8")
    texts = write_tasks(folder, train=TASKS, held_out=HELD_OUT)
    tokenizer = make_tokenizer([re.sub(r"\d", "", text) for text in texts], merges=200)  # a digit stays a token
    make_tiny_model(folder / "model", tokenizer=tokenizer, hidden_size=64, layers=3)
    sft(load(folder / "train.toml", ["model.name=./model", "output.directory=warm"]), screen)


def run(folder: Path, address: str, seed: int, steps: int, screen: Screen) -> Path:
    """Train with ``seed``; return the run's folder."""
    changes = [f"seed={seed}", f"steps={steps}", f"name=demo, seed {seed}", f"output.directory=seed-{seed}"]
    screen.say(f"GRPO, seed {seed}: {steps} steps")
    train(load(folder / "train.toml", [*changes, f"rewards.address={address}"]), screen)
    write_report(folder / f"seed-{seed}")
    return folder / f"seed-{seed}"


def summarize(folder: Path, runs: Sequence[Path], seconds: float) -> None:
    """Print what became of pass@1 on tasks that were held out, over all seeds; draw it."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    evaluations = [list(read_lines(run / EVALUATIONS)) for run in runs]
    table = Table(title=f"pass@1 on held-out tasks, {len(runs)} seeds, 95 % intervals", title_justify="left")
    for column in ("tasks", "before", "after", "rise"):
        table.add_column(column)
    for name in (*(f"{kind}_held_out" for kind in KINDS), "all"):
        before, after = ends(evaluations, name)
        rise, noise = after[0] - before[0], Z * math.hypot(before[1], after[1])
        cells = [f"{mean:.3f} ± {Z * error:.3f}" for mean, error in (before, after)]
        table.add_row(name.removesuffix("_held_out"), *cells, f"{rise:+.3f} ± {noise:.3f}")
    console.print(table)
    steps = [row for run in runs for row in read_lines(run / METRICS)]
    waited = sum(row["time/reward_wait"] for row in steps) / sum(row["time/step"] for row in steps)
    masked = statistics.fmean(row["masked/share"] for row in steps)
    console.print(
        f"{seconds:.0f} s in all; {statistics.fmean(row['time/step'] for row in steps):.2f} s a step, of which "
        f"{waited:.1%} waiting for rewards; {masked:.2%} of samples masked"
    )
    draw(folder / "pass_at_1.png", evaluations)
    console.print(f"Curves over all seeds: {folder}/pass_at_1.png; reports: {folder}/seed-*/report.html")


def ends(evaluations: Sequence[Sequence[dict[str, Any]]], name: str) -> tuple[tuple[float, float], ...]:
    """Return mean and standard error of pass@1 before the first and after the last update, over the seeds.

    The tasks are the same with every seed, so the error is the mean of the seeds' errors: not smaller for more seeds.
    """
    found = []
    for end in (min, max):
        rows = [
            [row["pass_at"]["1"] for row in run if row["step"] == end(each["step"] for each in run)
             and name in (row["name"], "all")]
            for run in evaluations
        ]  # fmt: skip # one line for what is chosen, one for the choice
        means = [statistics.fmean(row["mean"] for row in sets) for sets in rows]
        errors = [math.hypot(*(row["error"] for row in sets)) / len(sets) for sets in rows]
        found.append((statistics.fmean(means), statistics.fmean(errors)))
    return tuple(found)


def draw(path: Path, evaluations: Sequence[Sequence[dict[str, Any]]]) -> None:
    """Draw pass@1 over the steps: a diagram for each kind of task, a line for each seed."""
    figure = Figure(figsize=(4 * len(KINDS), 3.2), layout="constrained")
    axes = figure.subplots(1, len(KINDS), sharey=True)
    for axis, kind in zip(axes, KINDS, strict=True):
        for seed, rows in enumerate(evaluations):
            curve: dict[str, list[Any]] = defaultdict(list)
            for row in rows:
                if row["name"] == f"{kind}_held_out":
                    curve["step"].append(row["step"])
                    for key in ("mean", "low", "high"):
                        curve[key].append(row["pass_at"]["1"][key])
            axis.plot(curve["step"], curve["mean"], marker="o", label=f"seed {seed}")
            axis.fill_between(curve["step"], curve["low"], curve["high"], alpha=0.12)
        axis.set(title=f"{kind}: pass@1, held out", xlabel="updates", ylim=(0, 1))
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
