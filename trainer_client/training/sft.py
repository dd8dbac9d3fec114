"""The warm start: learn from demonstrations, for GRPO needs a model that already does somewhat well.

What it writes is a run of its own in the folder ``sft`` of `output.directory`, so that it and the training that follows
take nothing of each other's for theirs. A warm start that was stopped, by whatever, goes on from its newest checkpoint.
"""

import time
import uuid
from dataclasses import replace
from itertools import islice
from pathlib import Path

from trainer_client.training import ranks
from trainer_client.training.checkpoint import Checkpoint, Checkpoints
from trainer_client.training.config import Config
from trainer_client.training.demonstrations import Demonstrations, batches, demonstrations, steps
from trainer_client.training.interrupts import Interrupts
from trainer_client.training.learner import Learner
from trainer_client.training.optimizer import OptimizerConfig
from trainer_client.training.run_log import RunLog, describe_run
from trainer_client.training.screen import Screen
from trainer_client.training.session import load_learner, load_tokenizer, save_model
from trainer_client.training.tasks import PromptWriter, load_task_sets, training_sources


def sft(config: Config, screen: Screen) -> Path:
    """Learn from demonstrations, and return the folder of the model: the `model.name` of the run that follows.

    Raises `TaskFileError`, and KeyboardInterrupt once a checkpoint is saved.
    """
    directory = Path(config.output.directory, "sft")
    with ranks.processes():
        tokenizer = load_tokenizer(config)
        sources = training_sources(config.sft.tasks or config.data.tasks)
        sets = load_task_sets(sources, PromptWriter(tokenizer, config.data), config.data)
        found = demonstrations(sets, tokenizer, config.sft)
        screen.say(f"{len(found.pairs)} demonstrations; {found.too_long} too long, {found.without} tasks without any")
        total = steps(found, config.sft)
        learner = load_learner(config, optimizer=falling(config.optimizer, config.sft.learning_rate, total))
        _learn(config, learner, found, screen, directory)
        folder = directory / "model"
        save_model(learner, tokenizer, folder, merged=config.model.adapter == "lora")
        if config.model.adapter == "qlora":
            screen.say(f"The adapter is in {folder}: make a model of it by trainer-client export {directory} --merge")
        else:
            screen.say(f"The model is in {folder}: train it with --set model.name={folder.absolute()}")
        return folder


def falling(optimizer: OptimizerConfig, learning_rate: float, total: int) -> OptimizerConfig:
    """Return ``optimizer`` with a learning rate that rises for a twentieth of the steps and then falls to nothing."""
    if total < 2:  # noqa: PLR2004 - a line needs two points
        return replace(optimizer, learning_rate=learning_rate, schedule="constant", warmup_steps=0)
    warmup = min(max(1, total // 20), total - 1)
    return replace(
        optimizer,
        learning_rate=learning_rate,
        schedule="linear",
        warmup_steps=warmup,
        total_steps=total,
        final_share=0.0,
    )


def _learn(config: Config, learner: Learner, found: Demonstrations, screen: Screen, directory: Path) -> None:
    """Take the updates that are left to take, and save where it stands. Raises KeyboardInterrupt."""
    checkpoints = Checkpoints(directory / "checkpoints", keep=config.output.keep)
    resumed = checkpoints.newest()
    done = resumed.step if resumed else 0
    run_id = resumed.state()["run_id"] if resumed else uuid.uuid4().hex[:8]
    silent = ranks.rank() > 0
    log = RunLog(directory, config.output, name=config.name, run_id=run_id, step=done, silent=silent)
    changed = describe_run(directory, run_id, config.to_json()) if not silent else []
    if resumed:
        _resume(learner, resumed, changed, screen)
    total = steps(found, config.sft)
    left = islice(batches(found, config.sft, config.seed), done, None)
    try:
        with Interrupts(screen.say) as interrupts:
            for step, pairs in enumerate(left, start=done + 1):
                begun = time.monotonic()
                screen.phase("learning", step - 1, total)
                values = {f"update/{name}": value for name, value in learner.supervise(pairs).items()}
                values["time/step"] = time.monotonic() - begun
                log.step(step, values)
                screen.step(step, total, values)
                stopping = ranks.anybody(interrupts.asked)
                if stopping or step == total or (config.output.save_every and step % config.output.save_every == 0):
                    checkpoints.save(step, {"run_id": run_id}, learner.save)
                if stopping and step < total:
                    raise KeyboardInterrupt
    finally:
        log.close()


def _resume(learner: Learner, checkpoint: Checkpoint, changed: list[str], screen: Screen) -> None:
    if changed:
        screen.warn(f"The configuration is not the one this warm start was begun with: {', '.join(changed)}")
    learner.load(checkpoint.learner)
    checkpoint.restore_random()
    screen.say(f"Going on after {checkpoint.step} updates")
