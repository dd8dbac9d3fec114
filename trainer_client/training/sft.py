"""The warm start: learn from demonstrations, for GRPO needs a model that already does somewhat well."""

import time
import uuid
from dataclasses import replace
from pathlib import Path

from trainer_client.training import ranks
from trainer_client.training.config import Config
from trainer_client.training.demonstrations import batches, demonstrations, steps
from trainer_client.training.interrupts import Interrupts
from trainer_client.training.optimizer import OptimizerConfig
from trainer_client.training.run_log import RunLog, describe_run
from trainer_client.training.screen import Screen
from trainer_client.training.session import load_learner, load_tokenizer, save_model
from trainer_client.training.tasks import PromptWriter, load_task_sets, training_sources


def sft(config: Config, screen: Screen) -> Path:
    """Learn from demonstrations, and return the folder of the model: the `model.name` of the run that follows.

    Raises `TaskFileError`. The first Ctrl-C ends it early, and the model is written.
    """
    directory = Path(config.output.directory)
    run_id = uuid.uuid4().hex[:8]
    with ranks.processes():
        tokenizer = load_tokenizer(config)
        sources = training_sources(config.sft.tasks or config.data.tasks)
        sets = load_task_sets(sources, PromptWriter(tokenizer, config.data), config.data)
        found = demonstrations(sets, tokenizer, config.sft)
        screen.say(f"{len(found.pairs)} demonstrations; {found.too_long} too long, {found.without} tasks without any")
        total = steps(found, config.sft)
        learner = load_learner(config, optimizer=falling(config.optimizer, config.sft.learning_rate, total))
        silent = ranks.rank() > 0
        log = RunLog(directory, config.output, name=config.name, run_id=run_id, step=0, silent=silent)
        if not silent:
            describe_run(directory, run_id, config.to_json())
        try:
            with Interrupts(screen.say) as interrupts:
                for step, pairs in enumerate(batches(found, config.sft, config.seed), start=1):
                    begun = time.monotonic()
                    screen.phase("learning", step - 1, total)
                    values = {f"update/{name}": value for name, value in learner.supervise(pairs).items()}
                    values["time/step"] = time.monotonic() - begun
                    log.step(step, values)
                    screen.step(step, total, values)
                    if ranks.anybody(interrupts.asked):
                        screen.say("Ended early: the model is written as it is")
                        break
        finally:
            log.close()
        folder = directory / "model"
        save_model(learner, tokenizer, folder, merged=config.model.adapter == "lora")
        screen.say(f"The model is in {folder}")
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
