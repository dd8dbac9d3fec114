"""TRL trains a model on a task file, with rewards from a server.

reward-server convert --from gsm8k train.jsonl --out tasks.jsonl
reward-server serve                  # in another terminal
python examples/trl_grpo.py MODEL tasks.jsonl [STEPS]
"""

import json
import sys
from pathlib import Path

import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from trainer_client.adapters.trl import reward_function


def main(model: str, tasks: str, steps: int) -> None:
    """Train, and print the mean rewards."""
    records = [json.loads(line) for line in Path(tasks).read_text("utf-8").splitlines()]
    rows = [{"prompt": record["prompt"], "task": json.dumps(record["task"])} for record in records]
    settings = GRPOConfig(
        output_dir="trl-grpo",
        max_steps=steps,
        num_generations=4,
        per_device_train_batch_size=8,
        max_completion_length=64,
        logging_steps=1,
        report_to="none",
        bf16=torch.cuda.is_available(),
        use_cpu=not torch.cuda.is_available(),
    )
    trainer = GRPOTrainer(
        model=model, reward_funcs=reward_function(), train_dataset=Dataset.from_list(rows), args=settings
    )
    trainer.train()
    print([log["reward"] for log in trainer.state.log_history if "reward" in log])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 100)  # noqa: PLR2004 - an argument's place
