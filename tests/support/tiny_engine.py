"""Real vLLM on CPU with a tiny model, and the same model by transformers to compare with."""

import os
import warnings
from contextlib import contextmanager

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import AutoModelForCausalLM

from trainer_client.training.engines import open_rollout
from trainer_client.training.rollout import RolloutConfig, SamplingParameters
from trainer_client.training.tiny_model import make_tiny_model, make_tokenizer

CONFIG = RolloutConfig(max_model_len=256, kv_cache_gib=0.25, max_sequences=64)
SAMPLING = SamplingParameters(max_tokens=16, seed=5, temperature=0.7)
PROMPTS = [make_tokenizer()(f"question {i}?")["input_ids"] for i in range(4)]
FLOAT32_ERROR = 2e-5
"""What the sum of a few hundred products may differ by between two libraries' kernels, with a margin of ten."""


@contextmanager
def vllm_warnings():
    """Let pass what vLLM and torch warn of while vLLM is imported and starts: theirs, at no call of ours."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script", DeprecationWarning)  # torch of itself
        warnings.filterwarnings("ignore", "`torch.distributed.reduce_op", FutureWarning)  # vLLM looks at all attributes
        yield


@contextmanager
def running(model, config=CONFIG, **options):
    """Yield an engine on one thread: several only wait for each other when the machine has other work too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with vllm_warnings():
        engine = open_rollout(str(model), config, **options)
    try:
        yield engine
    finally:
        engine.close()
        torch.set_num_threads(threads)


def tiny_model(directory, *, tied=True):
    return make_tiny_model(directory, tied=tied)


def trainer_model(directory):
    return AutoModelForCausalLM.from_pretrained(directory)


def weights(model):
    """Yield what a checkpoint of the model holds, as the trainer sends it."""
    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    for name, tensor in model.state_dict().items():
        if name not in tied:
            yield name, tensor


def shaken(model, seed):
    """Change every parameter in place, as an update does, only more."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return model


def groups(engine, *, prompts=PROMPTS, size=3, sampling=SAMPLING):
    """Return the groups by the prompts' positions."""
    found = list(engine.generate(prompts, size, sampling))
    assert len({position for position, _ in found}) == len(found)
    return dict(found)


def largest_difference(model, found, *, sampling=SAMPLING):
    """Return by how much the engine's log-probabilities differ from those of ``model`` for the same tokens."""
    differences = []
    for position, completions in found.items():
        for completion in completions:
            prompt, tokens = PROMPTS[position], torch.tensor(completion.token_ids)
            with torch.no_grad():
                logits = model(torch.tensor([[*prompt, *completion.token_ids]])).logits[0, len(prompt) - 1 : -1]
            logprobs = torch.log_softmax(logits / sampling.temperature, -1).gather(1, tokens[:, None])[:, 0]
            differences.append((logprobs - torch.tensor(completion.logprobs)).abs().max().item())
    return max(differences)
