"""The loop, from top to bottom: draw groups, have them graded, learn, hand the new weights to the engine, look.

    tasks -> prompts -> groups of responses (vLLM) -> results (reward server) -> rewards -> advantages -> update

A response is graded as soon as its group is there, while others are still being written. A result that is a Failure
has no reward and is masked. What is drawn follows from the seed, the weights and the step, so a run that was stopped,
by whatever, goes on from its newest checkpoint as if it had not been.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer_client.errors import RewardError
from trainer_client.results import Verdict
from trainer_client.training import ranks
from trainer_client.training.advice import Advice
from trainer_client.training.checkpoint import Checkpoint, Checkpoints
from trainer_client.training.config import Config
from trainer_client.training.curriculum import Curriculum
from trainer_client.training.evaluation import SetReport, Watch, evaluate
from trainer_client.training.interrupts import Interrupts
from trainer_client.training.learner import Learner
from trainer_client.training.metrics import batch_metrics, has_spread
from trainer_client.training.rollout import RolloutError
from trainer_client.training.run_log import RunLog, describe_run
from trainer_client.training.sampler import Drawing, Timings
from trainer_client.training.scoring import OutageError, ScoredGroup
from trainer_client.training.screen import Screen
from trainer_client.training.session import Session, open_session, save_model
from trainer_client.training.tasks import Task


class StoppedError(Exception):
    """The run ended before its last step; the message says why. Its newest checkpoint is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one step learns from, and what was drawn for it."""

    tasks: tuple[Task, ...]
    """By the groups' `task_index`."""
    drawn: tuple[ScoredGroup, ...]
    learned: tuple[ScoredGroup, ...]
    """Those with spread, as many as a step takes; filled up with others where too few have it."""
    timings: Timings
    """Of all its drawings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The first drawing of a step, under way."""

    tasks: Sequence[Task]
    drawing: Drawing
    before: Mapping[str, Any]
    """The curriculum's state before its tasks were picked."""
    sync_seconds: float
    """Bringing the engine to memory, and weights into it."""


def train(config: Config, screen: Screen) -> Path:
    """Train, and return the folder of the model. Raises `StoppedError`, KeyboardInterrupt, and what opening raises."""
    directory = Path(config.output.directory)
    checkpoints = Checkpoints(directory / "checkpoints", keep=config.output.keep)
    resumed = checkpoints.newest()
    run_id = resumed.state()["run_id"] if resumed else uuid.uuid4().hex[:8]
    with open_session(config, run_id, learn=True) as session:
        step = resumed.step if resumed else 0
        silent = ranks.rank() > 0
        log = RunLog(directory, config.output, name=config.name, run_id=run_id, step=step, silent=silent)
        changed = describe_run(directory, run_id, config.to_json()) if not silent else []
        if changed and resumed:
            screen.warn(f"The configuration is not the one this run was begun with: {', '.join(changed)}")
        trainer = Trainer(session, checkpoints, log, screen, run_id)
        try:
            if resumed:
                trainer.resume(resumed)
            with Interrupts(screen.say) as interrupts:
                trainer.run(interrupts)
        finally:
            log.close()
        return trainer.save_model()


class Trainer:
    """One run: where it stands, and what a step does."""

    def __init__(self, session: Session, checkpoints: Checkpoints, log: RunLog, screen: Screen, run_id: str) -> None:
        assert session.learner is not None  # noqa: S101 - the session was opened to learn
        self.config = session.config
        self.learner: Learner = session.learner
        self.sampler = session.sampler
        self.session = session
        self.step = 0
        """Updates done."""
        self.curriculum = Curriculum(session.train_sets, self.config.curriculum, self.config.seed)
        self.watch = Watch(self.config.evaluation)
        self._advice = Advice()
        self._checkpoints = checkpoints
        self._log = log
        self._screen = screen
        self._run_id = run_id
        self._evaluated = -1
        self._place = self.curriculum.state()
        """The curriculum as it was after `step` batches: a batch that is drawn ahead is not in it."""
        self._whole = True
        """Whether the weights are those of after `step` updates, and not in the middle of one."""

    def run(self, interrupts: Interrupts) -> None:
        """Train to the last step, or until interrupted. Raises `StoppedError` and KeyboardInterrupt."""
        try:
            if self.step == 0:
                self._look()
            self._steps(interrupts)
        except (KeyboardInterrupt, OutageError, RewardError, RolloutError):
            if self._whole and not self._saved():
                self._save()
            raise
        self._look()
        if not self._saved():
            self._save()
        self._screen.say(f"{self.step} steps done; checkpoints and metrics are in {self._log.directory}")

    def _steps(self, interrupts: Interrupts) -> None:
        upcoming: Begun | None = None
        while self.step < self.config.steps:
            clock, busy = time.monotonic(), self.sampler.busy.seconds
            self._screen.phase("drawing", self.step, self.config.steps)
            current, upcoming = upcoming or self.begin(self.step), None
            ahead = self._runs_ahead(interrupts)
            if ahead and not self.config.replace_without_spread:
                current.drawing.wait_written()
                upcoming = self.begin(self.step + 1)  # the engine need not wait for the last rewards
            batch = self.collect(self.step, current)
            if ahead and upcoming is None:
                upcoming = self.begin(self.step + 1)
            place = self.curriculum.state()
            if upcoming is not None:
                place["places"] = upcoming.before["places"]
            else:
                self.sampler.rest()
            self._screen.phase("learning", self.step, self.config.steps)
            update = self.learn(batch)
            self._place = place
            seconds = time.monotonic() - clock
            idle = max(0.0, seconds - (self.sampler.busy.seconds - busy))
            self._record(batch, update | {"time/sync": current.sync_seconds, "time/idle": idle}, seconds=seconds)
            stopping = ranks.anybody(interrupts.asked)
            if self._due(self.config.evaluation.every):
                self._look()
            if (stopping or self._due(self.config.output.save_every)) and not self._saved():
                self._save()
            if stopping:
                raise KeyboardInterrupt

    def begin(self, step: int) -> Begun:
        """Begin to draw the groups of step number ``step``, counted from 0, by the weights of now."""
        before = self.curriculum.state()
        tasks = self.curriculum.draw(self.config.groups_per_step)
        sync_seconds = self.sampler.prepare()
        drawing = self._draw(step, tasks, first=0)
        return Begun(tasks=tasks, drawing=drawing, before=before, sync_seconds=sync_seconds)

    def collect(self, step: int, begun: Begun) -> Batch:
        """Return what step number ``step`` learns from.

        Groups without spread are replaced by those of other tasks, within the bound of `replace_without_spread`.
        """
        wanted = self.config.groups_per_step
        left = int(wanted * self.config.replace_without_spread)
        tasks, drawing = list(begun.tasks), begun.drawing
        drawn: list[ScoredGroup] = []
        timings = Timings()
        while True:
            groups = drawing.groups()
            for group in groups:
                self.curriculum.measure(tasks[group.task_index], _scores(group))
            drawn += groups
            timings += drawing.timings
            more = min(wanted - sum(map(has_spread, drawn)), left)
            if more <= 0:
                break
            left -= more
            asked = self.curriculum.draw(more)
            drawing = self._draw(step, asked, first=len(tasks))
            tasks += asked
        learned = sorted(drawn, key=lambda group: not has_spread(group))[:wanted]
        return Batch(tasks=tuple(tasks), drawn=tuple(drawn), learned=tuple(learned), timings=timings)

    def _draw(self, step: int, tasks: Sequence[Task], *, first: int) -> Drawing:
        rollout = self.config.rollout
        return self.sampler.begin(tasks, rollout.group_size, rollout.sampling, f"step {step} from {first}", first=first)

    def learn(self, batch: Batch) -> dict[str, float]:
        """Update the policy; return what to watch."""
        begun = time.monotonic()
        self._whole = False
        with self.sampler.busy:
            update = self.learner.update(batch.learned)
        self.step += 1
        self._whole = True
        self.sampler.updated()
        return {f"update/{name}": value for name, value in update.items()} | {"time/update": time.monotonic() - begun}

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from ``checkpoint``."""
        state = checkpoint.state()
        self.learner.load(checkpoint.learner)
        checkpoint.restore_random()
        self.curriculum.restore(state["curriculum"])
        self.watch.restore(state["watch"])
        self.step, self._evaluated = checkpoint.step, state["evaluated"]
        self._place = self.curriculum.state()
        self._checkpoints.protect(self.watch.best_step)
        self._screen.say(f"Going on from step {self.step} of run {self._run_id}")

    def save_model(self) -> Path:
        """Write the model as it is now; return its folder."""
        folder = self._log.directory / "model"
        save_model(self.learner, self.session.tokenizer, folder)
        return folder

    def _runs_ahead(self, interrupts: Interrupts) -> bool:
        """Return whether the next batch is drawn by the weights of now.

        Not before a checkpoint: a resumed run has no other weights than those in it.
        """
        after = self.step + 1
        often = (self.config.output.save_every, self.config.evaluation.every)
        saves = any(every and after % every == 0 for every in often)
        possible = bool(self.config.ahead) and after < self.config.steps and not saves
        return possible and not ranks.anybody(interrupts.asked)

    def _due(self, every: int) -> bool:
        return bool(every) and self.step % every == 0

    def _record(self, batch: Batch, measured: Mapping[str, float], *, seconds: float) -> None:
        """Write down how the step went, which took ``seconds``, and say what should be looked at."""
        waited = batch.timings.reward_wait
        values = batch_metrics(batch.drawn, batch.tasks) | self.curriculum.metrics() | batch.timings.metrics()
        values |= {**measured, "time/step": seconds, "time/reward_wait_share": waited / seconds}
        values["time/idle_share"] = values["time/idle"] / seconds
        values["groups/replaced"] = len(batch.drawn) - self.config.groups_per_step
        self._log.step(self.step, values)
        self._log.samples(self.step, batch.drawn, batch.tasks)
        self._screen.step(self.step, self.config.steps, values)
        for text in self._advice.take(batch.drawn, batch.tasks):
            self._screen.warn(text)

    def _look(self) -> None:
        """Evaluate; keep the best; do what is configured when something has become worse. Raises `StoppedError`."""
        if self._evaluated == self.step or not self.session.evaluation_sets:
            return
        self._screen.phase("evaluating", self.step, self.config.steps)
        reports = evaluate(self.sampler, self.session.evaluation_sets, self.config.evaluation, self.step)
        self._evaluated = self.step
        fallen = self.watch.take(self.step, reports)
        self._show(reports)
        self._checkpoints.protect(self.watch.best_step)
        for regression in fallen:
            self._screen.warn(f"{regression}")
        if fallen and self.config.evaluation.on_regression != "warn":
            self._go_back(str(fallen[0]))
        self._save()

    def _show(self, reports: Sequence[SetReport]) -> None:
        title = "Before the first update" if self.step == 0 else f"After {self.step} updates"
        self._screen.evaluation(title, reports)
        values = {name: value for report in reports for name, value in report.metrics().items()}
        self._log.evaluation(self.step, [report.to_json() for report in reports], values)

    def _go_back(self, why: str) -> None:
        """Take up the best checkpoint again, or stop. Raises `StoppedError`."""
        best = None if self.watch.best_step is None else self._checkpoints.at(self.watch.best_step)
        rollbacks = self.watch.rollbacks
        if self.config.evaluation.on_regression == "stop" or best is None:
            raise StoppedError(f"{why}; the best checkpoint is that of step {self.watch.best_step}")
        if rollbacks >= self.config.evaluation.max_rollbacks:
            raise StoppedError(f"{why}, after {rollbacks} roll-backs: lower optimizer.learning_rate")
        self.learner.load(best.learner)
        self.sampler.updated()
        self.watch.rollbacks += 1
        self._screen.say(f"Back to the weights of step {best.step}; going on with new tasks")

    def _save(self) -> None:
        state = {
            "run_id": self._run_id,
            "curriculum": self._place,
            "watch": self.watch.state(),
            "evaluated": self._evaluated,
        }
        self._checkpoints.save(self.step, state, self.learner.save)

    def _saved(self) -> bool:
        return self._checkpoints.at(self.step) is not None


def _scores(group: ScoredGroup) -> list[float]:
    return [episode.result.score for episode in group.episodes if isinstance(episode.result, Verdict)]
