"""The warm start: learn from demonstrations, for GRPO needs a model that already does somewhat well."""

import time
import uuid
from pathlib import Path

from trainer_client.training import ranks
from trainer_client.training.config import Config
from trainer_client.training.demonstrations import batches, demonstrations, steps
from trainer_client.training.interrupts import Interrupts
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
        learner = load_learner(config, learning_rate=config.sft.learning_rate)
        silent = ranks.rank() > 0
        log = RunLog(directory, config.output, name=config.name, run_id=run_id, step=0, silent=silent)
        if not silent:
            describe_run(directory, run_id, config.to_json())
        try:
            with Interrupts(screen.say) as interrupts:
                total = steps(found, config.sft)
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
        save_model(learner, tokenizer, folder)
        screen.say(f"The model is in {folder}")
        return folder
