"""The loop, from top to bottom: draw groups, have them graded, learn, hand the new weights to the engine, look.

    tasks -> prompts -> groups of responses (vLLM) -> results (reward server) -> rewards -> advantages -> update

A response is graded as soon as its group is there, while others are still being written. A result that is a Failure
has no reward and is masked. What is drawn follows from the seed, the weights and the step, so a run that was stopped,
by whatever, goes on from its newest checkpoint as if it had not been.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

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
    timings: Mapping[str, float]
    """Of drawing and grading, as metrics."""


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
            with ThreadPoolExecutor(1) as background:
                try:
                    self._steps(interrupts, background)
                except BaseException:
                    self.sampler.abandon()  # a batch that is drawn ahead may wait for a server that is away
                    raise
        except (KeyboardInterrupt, OutageError, RewardError, RolloutError):
            if self._whole and not self._saved():
                self._save()
            raise
        self._look()
        if not self._saved():
            self._save()
        self._screen.say(f"{self.step} steps done; checkpoints and metrics are in {self._log.directory}")

    def _steps(self, interrupts: Interrupts, background: ThreadPoolExecutor) -> None:
        upcoming: Future[Batch] | None = None
        while self.step < self.config.steps:
            begun = time.monotonic()
            self._screen.phase("drawing", self.step, self.config.steps)
            if upcoming is None:
                self.sampler.prepare()
                batch = self.collect(self.step)
            else:
                batch = upcoming.result()
            blocked = time.monotonic() - begun
            place, upcoming = self.curriculum.state(), None
            if self._runs_ahead(interrupts):
                self.sampler.prepare()
                upcoming = background.submit(self.collect, self.step + 1)
            else:
                self.sampler.rest()
            self._screen.phase("learning", self.step, self.config.steps)
            update = self.learn(batch)
            self._place = place
            self._record(batch, update, begun=begun, blocked=blocked)
            stopping = ranks.anybody(interrupts.asked)
            if self._due(self.config.evaluation.every):
                self._look()
            if (stopping or self._due(self.config.output.save_every)) and not self._saved():
                self._save()
            if stopping:
                raise KeyboardInterrupt

    def collect(self, step: int) -> Batch:
        """Draw and grade the groups of step number ``step``, counted from 0.

        Groups without spread are replaced by those of other tasks, within the bound of `replace_without_spread`.
        """
        wanted = self.config.groups_per_step
        left = int(wanted * self.config.replace_without_spread)
        tasks: list[Task] = []
        drawn: list[ScoredGroup] = []
        more = wanted
        while more > 0:
            asked = self.curriculum.draw(more)
            purpose = f"step {step} from {len(tasks)}"
            sampling = self.config.rollout.sampling
            group_size = self.config.rollout.group_size
            drawn += self.sampler.draw(asked, group_size, sampling, purpose, first=len(tasks))
            tasks += asked
            for group in drawn[-len(asked) :]:
                self.curriculum.measure(tasks[group.task_index], _scores(group))
            more = min(wanted - sum(map(has_spread, drawn)), left)
            left -= more
        learned = sorted(drawn, key=lambda group: not has_spread(group))[:wanted]
        timings = self.sampler.take_timings()
        return Batch(tasks=tuple(tasks), drawn=tuple(drawn), learned=tuple(learned), timings=timings)

    def learn(self, batch: Batch) -> dict[str, float]:
        """Update the policy; return what to watch."""
        begun = time.monotonic()
        self._whole = False
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
        return bool(self.config.ahead) and after < self.config.steps and not saves and not interrupts.asked

    def _due(self, every: int) -> bool:
        return bool(every) and self.step % every == 0

    def _record(self, batch: Batch, update: dict[str, float], *, begun: float, blocked: float) -> None:
        """Write down how the step went, and say what should be looked at.

        ``blocked``: how long this thread waited for the batch. Of a batch that was drawn ahead, only that much of the
        waiting for rewards was anybody's.
        """
        took = time.monotonic() - begun
        waited = min(batch.timings["time/reward_wait"], blocked)
        values = batch_metrics(batch.drawn, batch.tasks) | update | self.curriculum.metrics() | dict(batch.timings)
        values |= {"time/step": took, "time/reward_wait": waited, "time/reward_wait_share": waited / took}
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
        self.sampler.take_timings()
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
