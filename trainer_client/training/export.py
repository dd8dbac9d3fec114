"""`trainer-client export`: a checkpoint as a plain folder of a model, for transformers, `vllm serve` and hubs.

The base is loaded in 16 bits on the CPU, that of a QLoRA run too: its adapter was trained over the same weights rounded
to 4 bits, so a merged model differs from the one in training by that rounding, and an adapter alone does not.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch.distributed.checkpoint.api import CheckpointException
from transformers import AutoConfig

from trainer_client.training.checkpoint import Checkpoint, Checkpoints
from trainer_client.training.model_loading import Dtype, ModelConfig
from trainer_client.training.policy import Policy
from trainer_client.training.run_log import RUN
from trainer_client.training.session import tokenizer_of
from trainer_client.training.training_state import load_weights


class ExportError(Exception):
    """The run, or what was asked of it, gives no model; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    step: int
    why: str
    """Why this step: what was asked, or that it is the best, or the newest."""
    content: str
    """In words: a whole model, or an adapter and over what."""


def export(run: Path, output: Path, *, step: int | None, best: bool, merge: bool, dtype: Dtype) -> Exported:
    """Write a checkpoint of ``run`` to the new folder ``output``. Raises `ExportError` and `CheckpointError`.

    Without ``step`` that of the best evaluation; without evaluations, unless ``best`` insists on one, the newest.
    ``merge`` adds an adapter to its base. ``dtype``: what weights are written in; auto: what the model began with.
    """
    model, chat_template = _described(run)
    if merge and model.adapter == "none":
        raise ExportError(f"{run} trained every weight: there is no adapter to merge; leave --merge out")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ExportError(f"{output} is there already: name a new folder, or remove it")
    checkpoint, why = choose(Checkpoints(run / "checkpoints", keep=1), run, step=step, best=best)
    try:
        tokenizer = tokenizer_of(model, chat_template)
        policy = _with_weights(model, checkpoint, _resolved(model, dtype))
        policy.save(output, merged=merge)
        tokenizer.save_pretrained(str(output))
    except (OSError, ValueError, RuntimeError, CheckpointException) as error:
        raise ExportError(f"{checkpoint.path} over {model.name}: {error}") from error
    whole = merge or model.adapter == "none"
    content = "a whole model" if whole else f"a LoRA adapter; its base is {model.name}"
    return Exported(step=checkpoint.step, why=why, content=content)


def choose(checkpoints: Checkpoints, run: Path, *, step: int | None, best: bool) -> tuple[Checkpoint, str]:
    """Return the checkpoint that is asked for, and why it is that one. Raises `ExportError`."""
    newest = checkpoints.newest()
    if newest is None:
        sft = f"; its warm start is a run of its own: {run / 'sft'}" if (run / "sft").is_dir() else ""
        raise ExportError(f"{run} has no checkpoint{sft}")
    there = ", ".join(str(each.step) for each in checkpoints.all())
    if step is not None:
        asked = checkpoints.at(step)
        if asked is None:
            raise ExportError(f"{run} has no checkpoint of step {step}, but of {there}; output.keep says how many stay")
        return asked, "as asked"
    watch = newest.state().get("watch", {})
    best_step = watch.get("best_step")
    if best_step is None:
        if best:
            raise ExportError(f"{run} was never evaluated on evaluation.held_out: choose a step of {there} by --step")
        return newest, "the newest, since nothing was evaluated"
    found = checkpoints.at(best_step)
    if found is None:
        raise ExportError(f"the best checkpoint, of step {best_step}, is gone: choose a step of {there} by --step")
    return found, f"the best: pass@1 {watch['best_mean']:.3f} on held-out tasks"


def _described(run: Path) -> tuple[ModelConfig, str]:
    """Return the run's model, and its chat template's file or nothing. Raises `ExportError`."""
    try:
        config: dict[str, Any] = json.loads((run / RUN).read_text("utf-8"))["config"]
        model = config["model"]
        known = ModelConfig(**{**model, "lora_targets": tuple(model["lora_targets"])})
        return known, config["data"]["chat_template"]
    except FileNotFoundError:
        raise ExportError(f"{run}: there is no run here, for there is no {RUN}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(f"{run / RUN}: {error!r}") from error


def _resolved(model: ModelConfig, dtype: Dtype) -> Dtype:
    """Return the dtype to write: of 16 bits unless the model's files have more."""
    if dtype != "auto":
        return dtype
    config = AutoConfig.from_pretrained(model.name, revision=model.revision, trust_remote_code=model.trust_remote_code)
    return "float32" if config.dtype in (None, torch.float32) else "bfloat16"


def _with_weights(model: ModelConfig, checkpoint: Checkpoint, dtype: Dtype) -> Policy:
    """Return the policy of ``checkpoint`` on the CPU, its base as its files have it."""
    adapter = "none" if model.adapter == "none" else "lora"
    plain = replace(
        model,
        adapter=cast(Any, adapter),
        dtype=dtype,
        weights_dtype=dtype,
        gradient_checkpointing=False,
        attention="auto",
    )
    policy = Policy(plain, reference=False, device=torch.device("cpu"))
    load_weights(checkpoint.learner, policy.scorer)
    return policy
