"""Two processes that share a model learn what one process learns: FSDP2 over gloo, started by torchrun."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from sharded_update import learn

from trainer_client.training.learner import Learner
from trainer_client.training.model_loading import ModelConfig
from trainer_client.training.optimizer import OptimizerConfig
from trainer_client.training.policy import Policy
from trainer_client.training.presets import PRESETS

SUPPORT = Path(__file__).parents[2] / "support"
TOLERANCE = {"rel": 1e-9, "abs": 1e-10}


SEVERAL_STEPS = {"learning_rate": 1e-3, "epochs": 2, "mini_batches": 2, "tokens_per_micro_batch": 30}
TASKS: dict[str, dict[str, Any]] = {
    "every_weight_and_a_reference": {"preset": "grpo", "loss": {}, "model": {}},
    "an_adapter_and_kl_in_rewards": {
        "preset": "gspo",
        "loss": {"kl_coefficient": 0.1, "kl_in": "reward"},
        "model": {"adapter": "lora"},
    },
}
pytestmark = pytest.mark.timeout(400)  # three interpreters that load torch, where others want the cores too


@pytest.fixture(scope="module")
def together(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where two processes left, by task, what came of it."""
    directory = tmp_path_factory.mktemp("two")
    file = directory / "tasks.json"
    file.write_text(json.dumps({name: complete(task, tiny_model) for name, task in TASKS.items()}))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, str(SUPPORT / "sharded_update.py"), str(file)],
        env=os.environ | {"PYTHONPATH": str(SUPPORT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return directory


def complete(task: dict[str, Any], model: Path) -> dict[str, Any]:
    exact = {"name": str(model), "dtype": "float64", "weights_dtype": "float64"}
    return task | {"model": exact | task["model"], "optimizer": SEVERAL_STEPS}


@pytest.mark.parametrize("name", TASKS)
def test_two_processes_learn_what_one_learns(tiny_model: Path, tmp_path: Path, together: Path, name: str):
    """Losses, gradient norms, metrics and weights, over several steps, with turns in which one has no work.

    The state that two wrote is taken up by one; files and engine get whole weights by their names.
    """
    task, two = complete(TASKS[name], tiny_model), together / name
    expected = learn(task, tmp_path)
    for rank in range(2):
        found = json.loads((two / f"done-{rank}.json").read_text())
        for ours, theirs in zip(found["metrics"], expected["metrics"], strict=True):
            assert ours == pytest.approx(theirs, **TOLERANCE)
        assert found["logprobs"] == pytest.approx(expected["logprobs"], **TOLERANCE)
    files = [file.relative_to(tmp_path) for file in tmp_path.glob("m*/*.safetensors")]
    assert len(files) == (2 if "adapter" in task["model"] else 1)
    for file in files:
        torch.testing.assert_close(load_file(two / file), load_file(tmp_path / file))
    for weights in two.glob("weights-*.pt"):
        torch.testing.assert_close(torch.load(weights), torch.load(tmp_path / "weights-0.pt"))
    policy = Policy(ModelConfig(**task["model"]), reference=False, device=torch.device("cpu"))
    learner = Learner(policy, OptimizerConfig(), PRESETS["dapo"])
    learner.load(two / "state")
    assert learner.steps == 4
