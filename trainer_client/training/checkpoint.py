"""Checkpoints: everything a run needs to go on as if it had never stopped. A checkpoint is whole or not there at all.

    <output.directory>/checkpoints/step-000120/state.json   step, run id, data position, curriculum, evaluations
                                              /learner/     weights, optimizer, schedule
                                              /random.pt    states of the random generators

It is written beside its place, brought to disk, and renamed: a run that is killed at any moment leaves the one before.
"""

import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainer_client.training import ranks

_STEP = re.compile(r"step-(\d{6,})")
_STATE, _RANDOM = "state.json", "random.pt"
FORMAT = 1


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One that is whole."""

    step: int
    """Updates done."""
    path: Path

    def state(self) -> dict[str, Any]:
        """Return the loop's part. Raises `CheckpointError`."""
        try:
            state: dict[str, Any] = json.loads((self.path / _STATE).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.path}: {error}") from error
        if state.get("format") != FORMAT:
            raise CheckpointError(f"{self.path}: format {state.get('format')}, and this version reads {FORMAT}")
        return state

    @property
    def learner(self) -> Path:
        """The learner's folder."""
        return self.path / "learner"

    def restore_random(self) -> None:
        """Put the random generators back to where they were. Raises `CheckpointError`."""
        try:
            restore_random_states(torch.load(self.path / _RANDOM, weights_only=True))
        except (OSError, RuntimeError, ValueError) as error:
            raise CheckpointError(f"{self.path}: {error}") from error


class Checkpoints:
    """The checkpoints of one run."""

    def __init__(self, directory: Path, *, keep: int) -> None:
        """``keep``: how many of the newest stay; one that is `protect`-ed stays besides."""
        self.directory = directory
        self._keep = keep
        self._protected: int | None = None

    def save(self, step: int, state: Mapping[str, Any], write_learner: Callable[[Path], None]) -> Checkpoint:
        """Write a checkpoint and remove those that are too many. Every process calls; the first names it whole.

        ``write_learner`` is given the folder to fill.
        """
        made = Checkpoint(step=step, path=self.directory / f"step-{step:06d}")
        beside = Checkpoint(step=step, path=self.directory / f"writing-step-{step:06d}")
        if ranks.rank() == 0:
            shutil.rmtree(beside.path, ignore_errors=True)
            beside.learner.mkdir(parents=True)
        ranks.barrier()
        write_learner(beside.learner)
        ranks.barrier()
        if ranks.rank() == 0:
            torch.save(random_states(), beside.path / _RANDOM)
            (beside.path / _STATE).write_text(json.dumps({**state, "format": FORMAT, "step": step}, indent=1), "utf-8")
            _take_the_place(beside.path, made.path)
            self._remove_surplus()
        ranks.barrier()
        return made

    def protect(self, step: int | None) -> None:
        """Keep the checkpoint of ``step``, however old it grows; None for none."""
        self._protected = step

    def all(self) -> list[Checkpoint]:
        """Return those that are whole, oldest first."""
        return sorted(self._found(), key=lambda checkpoint: checkpoint.step)

    def newest(self) -> Checkpoint | None:
        """Return the one to resume from."""
        found = self.all()
        return found[-1] if found else None

    def at(self, step: int) -> Checkpoint | None:
        """Return the one of ``step``."""
        return next((checkpoint for checkpoint in self._found() if checkpoint.step == step), None)

    def _found(self) -> Iterator[Checkpoint]:
        if not self.directory.is_dir():
            return
        for path in self.directory.iterdir():
            named = _STEP.fullmatch(path.name)
            if named and (path / _STATE).is_file():
                yield Checkpoint(step=int(named[1]), path=path)

    def _remove_surplus(self) -> None:
        for checkpoint in self.all()[: -self._keep]:
            if checkpoint.step != self._protected:
                shutil.rmtree(checkpoint.path, ignore_errors=True)


def random_states() -> dict[str, Any]:
    """Return the states of all generators that a step may draw from."""
    version, internal, gauss = random.getstate()
    states: dict[str, Any] = {"torch": torch.get_rng_state(), "python": [version, list(internal), gauss]}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def restore_random_states(states: Mapping[str, Any]) -> None:
    """Put the generators back to where they were."""
    torch.set_rng_state(states["torch"])
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` so that whoever reads ``path`` sees all of it or what was there before."""
    beside = path.with_name(f".{path.name}.writing")
    beside.write_text(text, "utf-8")
    beside.replace(path)


def _take_the_place(written: Path, path: Path) -> None:
    for folder, _, files in os.walk(written, topdown=False):
        for name in files:
            _to_disk(Path(folder, name))
        _to_disk(Path(folder))
    if path.exists():  # saved again at the same step, after a roll-back: the old one goes out of the way first
        shutil.rmtree(path)
    written.rename(path)
    _to_disk(path.parent)


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
