"""The environment for NeMo RL against the shapes of its interface (August 2026), with real tensors.

NeMo RL itself is installed from its repository with CUDA; PyPI has only a name.
"""

import torch

from trainer_client.adapters.nemo_rl import RewardServerEnvironment, mask_ungraded

CODE = {"codeTests": {"stdioTests": [{"stdin": "2", "expectedStdout": "4"}]}}
LOGS = [
    [{"role": "user", "content": "Double.", "token_ids": torch.tensor([1])}, {"role": "assistant", "content": text}]
    for text in ("print(2 * int(input()))", "\\boxed{42}", "\\boxed{7}")
]
METADATA = [
    {"task": CODE, "index": 0},
    {"ground_truth": "42", "data_source": "aime"},
    {"ground_truth": "42", "data_source": "aime"},
]


def test_a_step(address):
    """A batch of conversations gets rewards (B,), ends, and keeps its metadata."""
    ended = RewardServerEnvironment({"address": address, "num_workers": 8}).step(LOGS, METADATA)
    observations, metadata, stop_strings, rewards, terminateds, answers = ended
    assert rewards.tolist() == [1.0, 1.0, 0.0]
    assert rewards.dtype == torch.float32
    assert terminateds.tolist() == [True] * 3
    assert [message["role"] for message in observations] == ["environment"] * 3
    assert (metadata[0]["index"], metadata[0]["mask_sample"]) == (0, False)
    assert (stop_strings, answers) == ([None] * 3, None)


def test_a_dead_sandbox_is_masked(dead):
    """What was not graded is marked in its metadata, and the batch gets the flag that GRPO drops samples by."""
    env = RewardServerEnvironment({"address": dead})
    ended = env.step(LOGS[:1] + LOGS[1:2], METADATA[:2])
    batch, metrics = env.global_post_process_and_metrics({"extra_env_info": ended.metadata})
    assert batch["mask_sample"].tolist()[0] is True
    assert batch["mask_sample"].dtype == torch.bool
    assert metrics["gradable"] < 1.0
    assert mask_ungraded({"extra_env_info": [None, {}]})["mask_sample"].tolist() == [False, False]
