"""What a program of the trainer stands on, opened from a configuration in the one order that works, and closed."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer
from transformers.utils import logging as transformers_logging

from trainer_client.training import ranks
from trainer_client.training.config import Config, ConfigError
from trainer_client.training.engines import open_rollout
from trainer_client.training.learner import Learner
from trainer_client.training.model_loading import ModelConfig
from trainer_client.training.optimizer import OptimizerConfig
from trainer_client.training.policy import Policy
from trainer_client.training.quiet import before_torch
from trainer_client.training.sampler import Sampler
from trainer_client.training.scoring import Scorer
from trainer_client.training.tasks import PromptWriter, TaskSet, load_task_sets, training_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is open."""

    config: Config
    tokenizer: Any
    train_sets: tuple[TaskSet, ...]
    evaluation_sets: tuple[TaskSet, ...]
    sampler: Sampler
    learner: Learner | None
    """None where nothing is learned."""


@contextmanager
def open_session(config: Config, run_id: str, *, learn: bool) -> Iterator[Session]:
    """Open what ``config`` describes. Raises `TaskFileError` and what the engine and the learner raise.

    Task files are read first, since that is where most mistakes are; then the engine starts, on an accelerator that is
    still empty, and makes room for the model that is trained.
    """
    with ExitStack() as stack:
        stack.enter_context(ranks.processes())
        tokenizer = load_tokenizer(config)
        writer = PromptWriter(tokenizer, config.data)
        train_sets = load_task_sets(training_sources(config.data.tasks), writer, config.data) if learn else ()
        evaluation_sets = load_task_sets(config.evaluation.sets, writer, config.data)
        adapter_rank = 0 if config.model.adapter == "none" else config.model.lora_rank
        rollout = open_rollout(config.model.name, config.rollout, adapter_rank=adapter_rank)
        stack.callback(rollout.close)
        scorer = Scorer(config.rewards, run_id=run_id)
        stack.callback(scorer.close)
        scratch = Path(config.output.directory, "adapter")
        sampler = Sampler(rollout, scorer, scratch, sampling=config.rollout.sampling, seed=config.seed)
        stack.callback(sampler.close)
        learner = None
        if learn:
            sampler.rest()
            learner = load_learner(config)
            sampler.follow(learner.policy)
        yield Session(
            config=config,
            tokenizer=tokenizer,
            train_sets=train_sets,
            evaluation_sets=evaluation_sets,
            sampler=sampler,
            learner=learner,
        )


def load_tokenizer(config: Config) -> Any:
    """Return the model's tokenizer, with the run's chat template in it. Raises `ConfigError`."""
    return tokenizer_of(config.model, config.data.chat_template)


def tokenizer_of(model: ModelConfig, chat_template: str) -> Any:
    """Return the tokenizer of ``model``; ``chat_template`` is the file of another template, or empty."""
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(
            model.name, revision=model.revision, trust_remote_code=model.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"model.name: {model.name!r} is no folder of a model, nor to be had: {error}") from error
    if chat_template:
        tokenizer.chat_template = Path(chat_template).read_text("utf-8")
    return tokenizer


def load_learner(config: Config, *, optimizer: OptimizerConfig | None = None) -> Learner:
    """Return the model with its optimizer; the seed fixes what is random in it, such as a new adapter.

    ``optimizer``: another than that of the run, for demonstrations, which need no reference. Raises `ConfigError`.
    """
    torch.manual_seed(config.seed)
    sampling = config.rollout.sampling
    try:
        policy = Policy(config.model, reference=config.loss.needs_reference and optimizer is None)
        return Learner(
            policy,
            optimizer or config.optimizer,
            config.loss,
            temperature=sampling.temperature,
            longest_completion=sampling.max_tokens,
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"model {config.model.name}: {error}") from error


def save_model(learner: Learner, tokenizer: Any, directory: Path, *, merged: bool = False) -> None:
    """Write the model, or its adapter, with the tokenizer: a folder for transformers, vLLM and this program.

    ``merged``: a LoRA adapter is added to its base, so that the folder can be the next run's `model.name`.
    """
    learner.policy.save(directory, merged=merged)
    if ranks.rank() == 0:
        tokenizer.save_pretrained(str(directory))
    ranks.barrier()


def quiet_libraries() -> None:
    """Keep the libraries' own chatter off the terminal, as far as `quiet` could not before they were imported."""
    before_torch()
    warnings.filterwarnings("ignore", "`torch.distributed.reduce_op", FutureWarning)  # vLLM looks at every attribute
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call] # transformers'
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # as above
    for name in ("httpx", "torch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("vllm").setLevel(os.environ["VLLM_LOGGING_LEVEL"])  # which vLLM itself reads after its imports
