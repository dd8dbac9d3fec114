"""verl's own reward loop and batch manager call our functions, as its configuration loads them."""

import json

import numpy as np
import pytest
import tiny_model
import torch
from omegaconf import OmegaConf
from verl import DataProto
from verl.experimental.reward_loop.reward_loop import RewardLoopWorker
from verl.workers.reward_manager.batch import BatchRewardManager

from trainer_client.adapters import verl
from trainer_client.adapters.source import UngradableError

CODE = json.dumps({"codeTests": {"stdioTests": [{"stdin": "", "expectedStdout": "1"}]}})
ROWS = [("openai/gsm8k", "7", "so \\boxed{7}"), ("openai/gsm8k", "7", "8 or x"), ("my/code", CODE, "print(1)")]
SCORES = [1.0, 0.0, 1.0]


def rollouts(tokenizer, rows):
    """Responses padded on the right behind prompts, as verl keeps them."""
    responses = [tokenizer.encode(text, add_special_tokens=False) for _, _, text in rows]
    width = max(map(len, responses))
    prompt = tokenizer.encode("question", add_special_tokens=False)
    mask = [[1] * (len(prompt) + len(ids)) + [0] * (width - len(ids)) for ids in responses]
    return DataProto.from_dict(
        tensors={
            "prompts": torch.tensor([prompt] * len(rows)),
            "responses": torch.tensor([ids + [0] * (width - len(ids)) for ids in responses]),
            "attention_mask": torch.tensor(mask),
        },
        non_tensors={
            "data_source": np.array([source for source, _, _ in rows], dtype=object),
            "reward_model": np.array([{"style": "rule", "ground_truth": truth} for _, truth, _ in rows], dtype=object),
            "extra_info": np.array([{"index": i} for i in range(len(rows))], dtype=object),
        },
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tiny_model.saved(tmp_path_factory.mktemp("model"))


def config(path, function, manager, **settings):
    return OmegaConf.create(
        {
            "actor_rollout_ref": {"model": {"path": path, "tokenizer_path": None}},
            "reward": {
                "reward_model": {"enable": False},
                "custom_reward_function": {
                    "path": "pkg://trainer_client.adapters.verl",
                    "name": function,
                    "reward_kwargs": settings,
                },
                "reward_manager": manager,
            },
        }
    )


NAIVE = {"source": "register", "name": "naive"}
OURS = {
    "source": "importlib",
    "name": "RewardServerManager",
    "module": {"path": "pkg://trainer_client.adapters.verl", "name": None},
}


@pytest.mark.parametrize(
    ("function", "manager"),
    [("compute_score", NAIVE), ("compute_score_async", NAIVE), ("compute_score_async", OURS)],
    ids=["sync", "async", "manager"],
)
async def test_reward_loop(address, path, function, manager):
    """Verl's worker loads the function or manager by its configuration and gets scores and equal columns."""
    worker = RewardLoopWorker(config(path, function, manager, address=address))
    outputs = await worker.compute_score_batch(rollouts(tiny_model.tokenizer(), ROWS))
    assert [output["reward_score"] for output in outputs] == SCORES
    assert len({tuple(output["reward_extra_info"]) for output in outputs}) == 1


@pytest.mark.parametrize("manager", [NAIVE, OURS], ids=["naive", "ours"])
async def test_reward_loop_with_a_dead_sandbox(dead, path, manager):
    """A Failure stops the step; or, when asked for, is a number whose column `gradable` is 0 in rows of equal keys."""
    data = rollouts(tiny_model.tokenizer(), ROWS)
    with pytest.raises(UngradableError, match="sandbox_unavailable"):
        await RewardLoopWorker(config(path, "compute_score_async", manager, address=dead)).compute_score_batch(data)
    lenient = config(path, "compute_score_async", manager, address=dead, on_failure="number", failure_score=-1.0)
    outputs = await RewardLoopWorker(lenient).compute_score_batch(data)
    assert [output["reward_score"] for output in outputs] == [1.0, -1.0, -1.0]
    assert [output["reward_extra_info"]["gradable"] for output in outputs] == [1.0, 0.0, 0.0]
    assert len({tuple(output["reward_extra_info"]) for output in outputs}) == 1


def test_batch_manager(address):
    """Verl's batch manager grades a batch in one call and places each score at its response's last token."""
    tokenizer = tiny_model.tokenizer()
    manager = BatchRewardManager(tokenizer, 0, verl.compute_scores, address=address)
    answer = manager(rollouts(tokenizer, ROWS), return_dict=True)
    assert answer["reward_tensor"].sum(dim=-1).tolist() == SCORES
    assert answer["reward_extra_info"]["gradable"] == [1.0] * 3
