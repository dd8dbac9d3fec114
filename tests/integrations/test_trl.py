"""TRL's own GRPOTrainer trains a tiny model with rewards from a real server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_model
import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from trainer_client.adapters import trl

SIMILAR = {
    "textMatch": {"expected": "aaaaaaaa", "measure": "TEXT_MEASURE_EDIT_SIMILARITY", "subject": "TEXT_SUBJECT_RAW"}
}
BOXED = {"pythonGrader": {"source": "def grade(sample, item):\n    return 0.5\n"}}


def train(function, tmp_path, *, tasks, conversational, steps=3):
    """Train for a few steps; return the logs, the model before and after, and the logged table."""
    prompts = [[{"role": "user", "content": "write a"}] if conversational else "write a"] * len(tasks)
    rows = Dataset.from_dict({"prompt": prompts, "task": [json.dumps(task) for task in tasks]})
    tokenizer = tiny_model.tokenizer("abc")
    torch.manual_seed(7)
    model = tiny_model.model(len(tokenizer))
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=function,
        processing_class=tokenizer,
        train_dataset=rows,
        args=GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=steps,
            per_device_train_batch_size=8,
            num_generations=4,
            max_completion_length=8,
            learning_rate=1e-2,
            beta=0.0,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            bf16=False,
            seed=7,
        ),
    )
    trainer.train()
    logs = [log for log in trainer.state.log_history if "reward" in log]
    moved = max(float((value.detach() - before[name]).abs().max()) for name, value in model.named_parameters())
    assert all(torch.isfinite(value).all() for value in model.parameters())
    return logs, moved


@pytest.mark.parametrize("conversational", [False, True], ids=["plain", "conversational"])
@pytest.mark.parametrize("kind", [trl.reward_function, trl.async_reward_function], ids=["sync", "async"])
def test_training(address, tmp_path, kind, conversational):
    """Sync and async, plain and conversational: rewards arrive, are logged by part, and move the model."""
    logs, moved = train(kind(address), tmp_path, tasks=[SIMILAR] * 4, conversational=conversational)
    assert len(logs) == 3
    assert all(0.0 <= log["rewards/reward_server/mean"] <= 1.0 for log in logs)
    assert any(log["rewards/reward_server/mean"] > 0.0 for log in logs)
    assert all(log["reward_server/gradable"] == 1.0 for log in logs)
    assert moved > 0.0


def test_a_dead_sandbox_trains_nothing(dead, tmp_path):
    """When the server grades nothing, no weight moves: Failures are None, and None has no gradient."""
    logs, moved = train(trl.reward_function(dead), tmp_path, tasks=[BOXED] * 4, conversational=False, steps=1)
    assert moved == 0.0
    assert all(log["reward_server/gradable"] == 0.0 for log in logs)


def test_the_rest_of_a_batch_trains_on(dead, tmp_path):
    """Samples that need no sandbox are graded, and train, beside those that cannot be."""
    tasks = [SIMILAR, BOXED] * 2
    logs, moved = train(trl.reward_function(dead), tmp_path, tasks=tasks, conversational=False)
    assert moved > 0.0
    assert any(0.0 < log["reward_server/gradable"] < 1.0 for log in logs)


def test_the_example(address, tmp_path):
    """The program in examples/ trains on a converted task file and prints its rewards."""
    task = {"prompt": [{"role": "user", "content": "write a"}], "task": SIMILAR}
    (tmp_path / "tasks.jsonl").write_text((json.dumps(task) + "\n") * 4, "utf-8")
    model = tiny_model.saved(tmp_path / "model", "abc")
    example = Path(__file__).parents[2] / "examples" / "trl_grpo.py"
    command = [sys.executable, str(example), model, "tasks.jsonl", "2"]
    environment = {**os.environ, "REWARD_SERVER_ADDRESS": address}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].startswith("[0.")
