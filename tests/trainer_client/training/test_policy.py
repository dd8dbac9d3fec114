"""The model that is trained: packed as alone, whole where it has to be whole, frozen where it has to be frozen."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors import safe_open
from tensor_watch import TensorWatch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import (
    AttentionInterface,
    AutoModelForCausalLM,
    Gemma2Config,
    GraniteConfig,
    MistralConfig,
    PretrainedConfig,
    Qwen3Config,
    Qwen3MoeConfig,
)
from transformers.masking_utils import AttentionMaskInterface

from trainer_client.training.model_loading import ModelConfig
from trainer_client.training.packing import pack
from trainer_client.training.policy import Policy

SAMPLES = [((1, 2, 3), (4, 5, 6, 7)), ((9, 8), (1, 2, 3, 9, 9, 8)), ((4,), (5,)), ((7, 7, 7, 7, 7), (7, 1))]
SMALL = {
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 64,
    "tie_word_embeddings": False,
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": 0,
}


def config(directory: Path, **changes: object) -> ModelConfig:
    return ModelConfig(**({"name": str(directory), "dtype": "float64", "weights_dtype": "float64"} | changes))


def on_cpu(model: ModelConfig, *, reference: bool) -> Policy:
    """The policy where sums are in one order, also on a machine with a GPU."""
    return Policy(model, reference=reference, device=torch.device("cpu"))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[PretrainedConfig], Path]:
    """A function that saves a model of an architecture, with random weights."""
    folders = (tmp_path / str(number) for number in count())

    def save(architecture: PretrainedConfig) -> Path:
        torch.manual_seed(0)
        folder = next(folders)
        AutoModelForCausalLM.from_config(architecture).save_pretrained(folder)
        return folder

    return save


def step(policy: Policy) -> None:
    """Move the policy somewhere else."""
    policy.logprobs(pack(SAMPLES))[0].sum().backward()
    torch.optim.SGD(policy.trained, lr=0.01).step()


def names_in(directory: Path) -> set[str]:
    with safe_open(directory / "model.safetensors", "pt") as file:
        return set(file.keys())


@pytest.mark.parametrize("adapter", ["none", "lora"])
@pytest.mark.parametrize("attention", ["packed", "sdpa"])
def test_packed_samples_are_scored_as_if_alone(tiny_model: Path, attention: str, adapter: str):
    """Log-probabilities and entropies of samples in one row equal those of each by itself, to float64's precision."""
    policy = on_cpu(config(tiny_model, attention=attention, adapter=adapter), reference=False)
    together = policy.logprobs(pack(SAMPLES))
    alone = [policy.logprobs(pack([sample])) for sample in SAMPLES]
    for part, whole in enumerate(together):
        torch.testing.assert_close(whole, torch.cat([each[part] for each in alone]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("attention", ["packed", "sdpa"])
def test_nothing_leaks_between_packed_samples(tiny_model: Path, attention: str):
    """Another neighbour of the same length changes no bit, nor has it any gradient."""
    policy = on_cpu(config(tiny_model, attention=attention), reference=False)
    first, second = SAMPLES[:2]
    other = (second[0][::-1], tuple(token + 1 for token in second[1]))
    length = len(first[1])
    before, after = (policy.logprobs(pack([first, neighbour]))[0] for neighbour in (second, other))
    assert torch.equal(before[:length], after[:length])
    assert not torch.equal(before[length:], after[length:])
    before[:length].sum().backward()
    mine = {name: weight.grad.clone() for name, weight in policy.model.named_parameters()}
    policy.scorer.zero_grad()
    policy.logprobs(pack([first]))[0].sum().backward()
    for name, weight in policy.model.named_parameters():
        torch.testing.assert_close(mine[name], weight.grad, rtol=0, atol=1e-12)


def test_scores_are_those_of_the_model_s_own_logits(tiny_model: Path):
    """At a temperature too."""
    policy = on_cpu(config(tiny_model), reference=False)
    theirs = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float64)
    for prompt, completion in SAMPLES:
        logits = theirs(torch.tensor([[*prompt, *completion]])).logits[0, len(prompt) - 1 : -1]
        expected = (logits / 0.7).log_softmax(-1).gather(1, torch.tensor(completion)[:, None]).squeeze(1)
        found, _ = policy.logprobs(pack([(prompt, completion)]), temperature=0.7)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-8)


def test_whole_logits_never_exist(tiny_model: Path):
    """Forward and backward of a packed row make no tensor as large as its logits would be."""
    policy = on_cpu(config(tiny_model, chunk_tokens=16, gradient_checkpointing=False), reference=False)
    packed = pack([((1,), tuple(range(100)))] * 6)
    words = policy.scorer.output_weight.shape[0]
    with TensorWatch() as watch:
        logprobs, entropy = policy.logprobs(packed)
        (logprobs.sum() + entropy.sum()).backward()
    assert len(logprobs) == 600
    assert watch.largest < len(logprobs) * words


def test_checkpointing_changes_no_gradient(tiny_model: Path):
    """What is computed twice comes out the same."""
    found = []
    for checkpointing in (True, False):
        policy = on_cpu(config(tiny_model, gradient_checkpointing=checkpointing), reference=False)
        policy.logprobs(pack(SAMPLES))[0].sum().backward()
        found.append([weight.grad for weight in policy.trained])
    assert all(map(torch.equal, *found))


@pytest.mark.parametrize("adapter", ["none", "lora"])
def test_the_reference_stays_where_the_policy_began(tiny_model: Path, adapter: str):
    """At first policy and reference are the same; after a step only the policy has moved, and no gradient is left."""
    policy = on_cpu(config(tiny_model, adapter=adapter), reference=True)
    packed = pack(SAMPLES)
    before = policy.reference_logprobs(packed)
    assert torch.equal(policy.logprobs(packed)[0], before)
    for _ in range(2):  # the first step of an adapter moves one of its two factors, and the product is still 0
        step(policy)
    after = policy.reference_logprobs(packed)
    assert torch.equal(before, after)
    assert not after.requires_grad
    assert (policy.logprobs(packed)[0] - before).abs().max() > 1e-3


def test_without_a_reference_there_is_none_to_ask(tiny_model: Path):
    """It is not loaded for nothing, nor made up."""
    with pytest.raises(ValueError, match="without a reference"):
        on_cpu(config(tiny_model), reference=False).reference_logprobs(pack(SAMPLES))


@pytest.mark.parametrize(
    "architecture",
    [
        Qwen3Config(**SMALL),
        Qwen3Config(**SMALL | {"tie_word_embeddings": True}),
        Qwen3MoeConfig(**SMALL, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=8),
    ],
    ids=["dense", "tied", "experts"],
)
def test_weights_go_by_the_names_of_the_checkpoint(architecture: PretrainedConfig, saved: Callable):
    """All of them, as they are in the file; those of experts too, which the model keeps as one."""
    directory = saved(architecture)
    policy = on_cpu(config(directory, dtype="float32", weights_dtype="float32"), reference=False)
    weights = dict(policy.weights())
    assert set(weights) == names_in(directory)
    with safe_open(directory / "model.safetensors", "pt") as file:
        for name, weight in weights.items():
            assert torch.equal(weight, file.get_tensor(name)), name


def test_a_saved_policy_is_read_back(tiny_model: Path, tmp_path: Path):
    """By transformers, and by ourselves."""
    policy = on_cpu(config(tiny_model), reference=False)
    step(policy)
    policy.save(tmp_path)
    assert names_in(tmp_path) == names_in(tiny_model)
    again = on_cpu(config(tmp_path), reference=False)
    assert torch.equal(policy.logprobs(pack(SAMPLES))[0], again.logprobs(pack(SAMPLES))[0])


def test_an_adapter_is_trained_and_saved_alone(tiny_model: Path, tmp_path: Path):
    """The base has no gradient; what is saved is read by peft and gives the same log-probabilities."""
    policy = on_cpu(config(tiny_model, adapter="lora", lora_rank=4), reference=False)
    for _ in range(2):
        step(policy)
    assert {
        name.rsplit(".", 2)[0].rsplit(".", 1)[1]
        for name, weight in policy.model.named_parameters()
        if weight.requires_grad
    } == {"lora_A", "lora_B"}
    assert all(weight.grad is None for weight in policy.model.parameters() if not weight.requires_grad)
    policy.save_adapter(tmp_path / "adapter")
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float64)
    read = PeftModel.from_pretrained(base, tmp_path / "adapter")
    prompt, completion = SAMPLES[0]
    logs = read(torch.tensor([[*prompt, *completion]])).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
    expected = logs.gather(1, torch.tensor(completion)[:, None]).squeeze(1)
    torch.testing.assert_close(policy.logprobs(pack(SAMPLES[:1]))[0], expected, rtol=0, atol=1e-8)
    with pytest.raises(ValueError, match="save_adapter"):
        next(policy.weights())


def test_a_merged_model_needs_no_adapter(tiny_model: Path, tmp_path: Path):
    """It is the same model as a whole; the policy itself keeps its adapter apart."""
    policy = on_cpu(config(tiny_model, adapter="lora"), reference=False)
    for _ in range(2):
        step(policy)
    before = policy.logprobs(pack(SAMPLES))[0]
    policy.save(tmp_path, merged=True)
    assert names_in(tmp_path) == names_in(tiny_model)
    whole = on_cpu(config(tmp_path), reference=False)
    torch.testing.assert_close(whole.logprobs(pack(SAMPLES))[0], before, rtol=0, atol=1e-6)
    assert torch.equal(policy.logprobs(pack(SAMPLES))[0], before)


def test_sixteen_bits_are_computed_in_and_thirty_two_kept(tiny_model: Path):
    """Weights and gradients are float32, log-probabilities within bfloat16's error, and the engine gets bfloat16."""
    policy = on_cpu(config(tiny_model, dtype="bfloat16", weights_dtype="float32"), reference=True)
    exact = on_cpu(config(tiny_model), reference=False)
    found, _ = policy.logprobs(pack(SAMPLES))
    torch.testing.assert_close(found.double(), exact.logprobs(pack(SAMPLES))[0], rtol=0, atol=0.02)
    assert torch.equal(found, policy.reference_logprobs(pack(SAMPLES)))
    found.sum().backward()
    assert {weight.dtype for weight in policy.trained} == {weight.grad.dtype for weight in policy.trained}
    assert {weight.grad.dtype for weight in policy.trained} == {torch.float32}
    assert {weight.dtype for _, weight in policy.weights()} == {torch.bfloat16}


def test_dropout_is_off(saved: Callable):
    """Asked twice, a policy in training gives the same answer."""
    directory = saved(MistralConfig(**SMALL, attention_dropout=0.5))
    policy = on_cpu(config(directory), reference=False)
    assert torch.equal(policy.logprobs(pack(SAMPLES))[0], policy.logprobs(pack(SAMPLES))[0])


def test_a_sliding_window_is_kept(saved: Callable):
    """In packed attention as in transformers' own."""
    directory = saved(MistralConfig(**SMALL, sliding_window=3))
    ours, theirs, whole = (
        on_cpu(config(path, attention=attention), reference=False).logprobs(pack(SAMPLES))[0]
        for path, attention in (
            (directory, "packed"),
            (directory, "sdpa"),
            (saved(MistralConfig(**SMALL, sliding_window=None)), "packed"),
        )
    )
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    assert (ours - whole).abs().max() > 1e-6


def test_a_scaled_output_layer_is_refused(saved: Callable):
    """A wrong log-probability would train the model on noise without a sign of it."""
    directory = saved(GraniteConfig(**SMALL, logits_scaling=8.0, initializer_range=0.5))
    with pytest.raises(ValueError, match="scales or caps its logits"):
        on_cpu(config(directory), reference=False)


def test_layers_that_mix_packed_samples_are_refused(saved: Callable):
    """As recurrent layers do, or an attention that knows of no boundaries."""

    def leaky(_module: object, query: Tensor, key: Tensor, value: Tensor, _mask: object, **_options: object):
        return scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True).transpose(1, 2), None

    AttentionInterface.register("leaky", leaky)
    AttentionMaskInterface.register("leaky", lambda *_, **__: None)
    directory = saved(Qwen3Config(**SMALL, initializer_range=0.5))
    with pytest.raises(ValueError, match="carry over from one packed sample to the next"):
        on_cpu(config(directory, attention="leaky"), reference=False)
    on_cpu(config(directory), reference=False)


def test_attention_that_is_not_ours_to_do_is_refused(saved: Callable):
    """Capped scores are named, with what does them."""
    directory = saved(Gemma2Config(**SMALL))
    with pytest.raises(ValueError, match=r"softcap.*sdpa"):
        on_cpu(config(directory), reference=False)


def test_over_four_bits_the_adapter_alone_is_trained(tiny_model: Path):
    """With QLoRA the base is in 4 bits, the reference is that base, and a step moves the adapter's weights only."""
    policy = on_cpu(config(tiny_model, adapter="qlora", dtype="float32", lora_rank=4), reference=True)
    packed = pack(SAMPLES)
    assert all("lora_" in name for name, value in policy.model.named_parameters() if value.requires_grad)
    assert any(value.dtype == torch.uint8 for value in policy.model.parameters())
    before = policy.reference_logprobs(packed)
    optimizer = torch.optim.SGD(policy.trained, lr=1.0)
    for _ in range(2):  # the first step moves one factor only: the other begins at 0
        optimizer.zero_grad()
        policy.logprobs(packed)[0].sum().backward()
        optimizer.step()
    assert torch.equal(policy.reference_logprobs(packed), before)
    assert not torch.allclose(policy.logprobs(packed)[0], before, atol=1e-3)


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"adapter": "dora"}, "adapter"), ({"dtype": "int8"}, "dtype"), ({"chunk_tokens": 0}, "chunk_tokens")],
)
def test_a_choice_that_makes_no_sense_is_named(changes: dict, named: str):
    """The message starts with the field."""
    with pytest.raises(ValueError, match=f"^{named}: "):
        ModelConfig(name="x", **changes)


@pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a GPU: torch's variable-length kernels have no CPU form"
)
@pytest.mark.parametrize("attention", ["packed", "sdpa"])
def test_on_a_gpu_packed_samples_are_scored_as_if_alone(tiny_model: Path, attention: str):
    """In bfloat16, within its error, with the gradient that the CPU gives."""
    policy = Policy(config(tiny_model, dtype="bfloat16", weights_dtype="float32", attention=attention), reference=False)
    exact = on_cpu(config(tiny_model), reference=False)
    found, expected = policy.logprobs(pack(SAMPLES))[0], exact.logprobs(pack(SAMPLES))[0]
    torch.testing.assert_close(found.double().cpu(), expected, rtol=0, atol=0.02)
    found.sum().backward()
    expected.sum().backward()
    for ours, theirs in zip(policy.trained, exact.trained, strict=True):
        gap = (ours.grad.double().cpu() - theirs.grad).norm() / theirs.grad.norm().clamp(min=1e-3)
        assert gap < 0.1
