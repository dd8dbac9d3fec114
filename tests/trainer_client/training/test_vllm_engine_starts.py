"""Engines that start and end: adapters, the state of the process, and one engine at a time."""

import random

import pytest
import tiny_engine
import torch
from peft import LoraConfig, get_peft_model
from tiny_engine import FLOAT32_ERROR, groups, largest_difference, running, shaken, weights

from trainer_client.training.rollout import RolloutError

pytestmark = pytest.mark.timeout(300)  # importing vLLM takes seconds, and a minute on a busy machine


@pytest.fixture
def trainers_group():
    """The process group of a trainer that has one, which an engine must not take with it."""
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    yield
    ones = torch.ones(2)
    torch.distributed.all_reduce(ones)
    assert ones.tolist() == [1.0, 1.0]
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("trainers_group")
def test_adapters_are_swapped_in_place(tmp_path):
    """Under one adapter after another vLLM's log-probabilities are the trainer's; the base weights are not sent."""
    directory = tiny_engine.tiny_model(tmp_path / "model")
    model = get_peft_model(
        tiny_engine.trainer_model(directory),
        LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"]),
    )
    with running(directory, adapter_rank=4) as engine:
        plain = groups(engine)
        seen = [plain]
        for seed in range(2):
            generator = torch.Generator().manual_seed(seed)
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    if "lora_" in name:
                        parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
            model.save_pretrained(tmp_path / "adapter")
            engine.load_adapter(tmp_path / "adapter")
            seen.append(groups(engine))
            assert largest_difference(model, seen[-1]) < FLOAT32_ERROR
        assert seen[0] != seen[1] != seen[2] != seen[0]
        with model.disable_adapter():
            assert largest_difference(model, plain) < FLOAT32_ERROR


def test_the_process_is_left_as_it_was(tmp_path):
    """An engine's start changes no seed, takes no way to set threads, and its end takes its process group with it."""
    directory = tiny_engine.tiny_model(tmp_path, tied=False)
    torch.manual_seed(3)
    random.seed(3)
    states = torch.get_rng_state(), random.getstate()
    with running(directory) as engine:
        assert torch.equal(states[0], torch.get_rng_state())
        assert random.getstate() == states[1]
        assert torch.get_num_threads() == 1
        with pytest.raises(RolloutError, match="one engine"), running(directory):
            pass
        torch.set_num_threads(2)
        assert torch.get_num_threads() == 2
        torch.set_num_threads(1)
        model = shaken(tiny_engine.trainer_model(directory), 1)  # whose embeddings are two tensors
        engine.load_weights(weights(model))
        assert largest_difference(model, groups(engine)) < FLOAT32_ERROR
        engine.close()
    assert not torch.distributed.is_initialized()


def test_no_model_no_engine(tmp_path):
    """A model that is not there is told by its name."""
    with pytest.raises(RolloutError, match="nowhere"), running(tmp_path / "nowhere"):
        pass
