"""One process of several that learn together: argv is a JSON file with what to do, by name; torchrun starts it.

Each takes the same groups, updates, and writes what came of it; the test compares that with one process.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from groups import random_groups
from torch import distributed
from transformers.utils import logging

from trainer_client.training.learner import Learner
from trainer_client.training.model_loading import ModelConfig
from trainer_client.training.optimizer import OptimizerConfig
from trainer_client.training.packing import pack
from trainer_client.training.policy import Policy
from trainer_client.training.presets import loss_config


def learn(task: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Return metrics of two updates, one of them after taking up the state of the first; write models and state."""
    torch.manual_seed(0)
    loss = loss_config(task["preset"], **task["loss"])
    policy = Policy(ModelConfig(**task["model"]), reference=loss.needs_reference, device=torch.device("cpu"))
    learner = Learner(policy, OptimizerConfig(**task["optimizer"]), loss, longest_completion=12)
    metrics = [learner.update(random_groups(1))]
    learner.save(directory / "state")
    metrics.append(learner.update(random_groups(2, groups=1, size=2)))
    policy.save(directory / "model")
    if task["model"].get("adapter"):
        policy.save(directory / "merged", merged=True)
    else:
        weights = dict(policy.weights())
        torch.save(weights, directory / f"weights-{distributed.get_rank() if distributed.is_initialized() else 0}.pt")
    packed = pack([((1, 2, 3), (4, 5, 6))])
    logprobs = policy.logprobs(packed)[0].detach()
    learner.load(directory / "state")
    metrics.append(learner.update(random_groups(2, groups=1, size=2)))
    if not torch.equal(logprobs, policy.logprobs(packed)[0]):
        raise AssertionError("the second update differs after taking up the state")
    return {"metrics": metrics, "logprobs": logprobs.tolist()}


if __name__ == "__main__":
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    file = Path(sys.argv[1])
    for name, task in json.loads(file.read_text()).items():
        directory = file.parent / name
        directory.mkdir(exist_ok=True)
        done = learn(task, directory)
        (directory / f"done-{distributed.get_rank()}.json").write_text(json.dumps(done))
    distributed.destroy_process_group()
