"""What a run leaves behind: files that people, reports and resumed runs read, and the trackers that were asked for.

    <output.directory>/run.json             run id and configuration
                      /metrics.jsonl        one object for each update
                      /evaluations.jsonl    one for each evaluation of each set
                      /samples.jsonl        some responses of each update, with what became of them
                      /tensorboard/  /checkpoints/  /model/  /report.html  /report.png

A resumed run cuts what was written after its checkpoint, so that each step stands here once.
"""

import importlib
import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from trainer_client.results import Failure, Verdict
from trainer_client.training.checkpoint import write_atomically
from trainer_client.training.metrics import clean
from trainer_client.training.scoring import ScoredGroup
from trainer_client.training.tasks import Task

TrackerName: TypeAlias = Literal["tensorboard", "wandb", "trackio"]
RUN, METRICS, EVALUATIONS, SAMPLES = "run.json", "metrics.jsonl", "evaluations.jsonl", "samples.jsonl"
_LONGEST_TEXT = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputConfig:
    """Where a run writes, and what."""

    directory: str = "run"
    """Relative to the configuration's folder. A run that finds a checkpoint there goes on from it."""
    save_every: int = 20
    """Updates between checkpoints; 0 for at the end and at Ctrl-C only."""
    keep: int = 2
    """How many of the newest checkpoints stay, beside the best."""
    samples: int = 4
    """How many responses of each update are written down."""
    trackers: tuple[TrackerName, ...] = ("tensorboard",)
    """``wandb`` and ``trackio`` must be installed."""

    def __post_init__(self) -> None:
        if self.keep < 1:
            raise ValueError(f"keep: {self.keep} is less than 1")
        for name in self.trackers:
            if importlib.util.find_spec(name) is None:
                raise ValueError(f"trackers: {name} is not installed: pip install {name}")


class Tracker(Protocol):
    """Takes numbers with names."""

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Show ``values`` at ``step``."""

    def finish(self) -> None:
        """Bring everything to where it belongs."""


class RunLog:
    """Writes a run's files and feeds its trackers."""

    def __init__(
        self, directory: Path, config: OutputConfig, *, name: str, run_id: str, step: int, silent: bool = False
    ) -> None:
        """Open for a run that stands at ``step``: what is written of later steps is cut.

        ``silent``: write nothing, as one of several processes that is not the first.
        """
        self.directory = directory
        self._samples = config.samples
        self._silent = silent
        self._trackers: list[Tracker] = []
        if silent:
            return
        directory.mkdir(parents=True, exist_ok=True)
        for file in (METRICS, EVALUATIONS, SAMPLES):
            _cut(directory / file, step)
        self._trackers = [_tracker(kind, directory, name=name, run_id=run_id, step=step) for kind in config.trackers]

    def step(self, step: int, values: Mapping[str, float]) -> None:
        """Write the metrics of update number ``step``."""
        self._append(METRICS, [{"step": step, **values}])
        self._track(values, step)

    def evaluation(self, step: int, reports: Sequence[Mapping[str, Any]], values: Mapping[str, float]) -> None:
        """Write what an evaluation after ``step`` updates showed."""
        self._append(EVALUATIONS, [{"step": step, **report} for report in reports])
        self._track(values, step)

    def samples(self, step: int, groups: Sequence[ScoredGroup], tasks: Sequence[Task]) -> None:
        """Write some responses down: the first of as many groups."""
        self._append(SAMPLES, sample_rows(step, groups, tasks, self._samples))

    def close(self) -> None:
        """End the trackers."""
        for tracker in self._trackers:
            tracker.finish()

    def _append(self, file: str, lines: Iterable[Mapping[str, Any]]) -> None:
        if self._silent:
            return
        with (self.directory / file).open("a", encoding="utf-8") as opened:
            for line in lines:
                opened.write(json.dumps(line) + "\n")

    def _track(self, values: Mapping[str, float], step: int) -> None:
        for tracker in self._trackers:
            tracker.log(values, step)


def describe_run(directory: Path, run_id: str, config: Mapping[str, Any]) -> list[str]:
    """Write the run's id and configuration down; return which keys differ from those it was begun with."""
    path = directory / RUN
    before = json.loads(path.read_text("utf-8"))["config"] if path.exists() else config
    write_atomically(path, json.dumps({"run_id": run_id, "config": config}, indent=1))
    old, new = _flat(before), _flat(config)
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def sample_rows(step: int, groups: Sequence[ScoredGroup], tasks: Sequence[Task], most: int) -> list[dict[str, Any]]:
    """Return one row for the first response of each of ``most`` groups, spread over all groups."""
    stride = max(1, len(groups) // max(1, most))
    rows = []
    for group in groups[::stride][:most]:
        episode, task = group.episodes[0], tasks[group.task_index]
        row: dict[str, Any] = {"step": step, "task": task.name, "reward": episode.reward, "masked": episode.masked}
        row |= {"prompt": task.prompt[:_LONGEST_TEXT], "response": episode.completion.text[:_LONGEST_TEXT]}
        match episode.result:
            case Verdict() as verdict:
                row |= {"score": verdict.score, "ruling": verdict.ruling.value, "why": clean(verdict.summary, 300)}
                row["flags"] = [clean(flag.name, 48) for flag in verdict.flags]
            case Failure() as failure:
                row |= {"ruling": failure.reason.value, "why": clean(failure.message, 300)}
        rows.append(row)
    return rows


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines that are whole: a killed run may have left half a line at the end."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _cut(path: Path, step: int) -> None:
    if path.exists():
        kept = [json.dumps(line) + "\n" for line in read_lines(path) if line["step"] <= step]
        write_atomically(path, "".join(kept))


def _tracker(kind: TrackerName, directory: Path, *, name: str, run_id: str, step: int) -> Tracker:
    if kind == "tensorboard":
        return _TensorBoard(directory / "tensorboard", step)
    module = importlib.import_module(kind)  # wandb and trackio have the same verbs
    options = {"id": run_id, "dir": str(directory)} if kind == "wandb" else {}
    run: Tracker = module.init(project="trainer-client", name=f"{name}-{run_id}", resume="allow", **options)
    return run


class _TensorBoard:
    """TensorBoard's files."""

    def __init__(self, directory: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - seconds, for those who want it

        self._writer = SummaryWriter(str(directory), purge_step=step + 1 if step else None)

    def log(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def finish(self) -> None:
        self._writer.close()
