"""Models from disk or hub, as they are trained: with an adapter, in 4 bits, checkpointed, without dropout."""

import importlib.util
import os
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import distributed, nn
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel

from trainer_client.training import packed_attention

Adapter: TypeAlias = Literal["none", "lora", "qlora"]
Dtype: TypeAlias = Literal["auto", "bfloat16", "float32", "float64"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Which model, and how it is held."""

    name: str
    """A directory, or a name on the hub."""
    revision: str = "main"
    adapter: Adapter = "none"
    """``none`` trains every weight; ``lora`` a low-rank adapter; ``qlora`` the same over a base in 4 bits."""
    dtype: Dtype = "auto"
    """What is computed in, and what a frozen base is kept in; ``auto``: bfloat16 on a GPU, float32 on a CPU."""
    weights_dtype: Dtype = "float32"
    """What trained weights are kept in, and their gradients and optimizer state; ``auto`` for `dtype`."""
    head_float32: bool = False
    """Compute the output layer in float32: closer to the engine's probabilities when it does so too; slower."""
    attention: str = "auto"
    """An implementation that keeps packed samples apart: ``flash_attention_2`` (the package flash-attn), ``packed``
    (torch's own kernels), ``sdpa`` (with a block-diagonal mask, for architectures that need what ``packed`` lacks).
    ``auto``: the first that is there, flash_attention_2 on a GPU only."""
    gradient_checkpointing: bool = True
    """Recompute activations in the backward pass: a third more time, far less memory."""
    chunk_tokens: int = 512
    """For how many tokens at a time logits exist."""
    lora_rank: int = 32
    lora_alpha: int = 64
    lora_targets: tuple[str, ...] = ()
    """Names of the layers that get an adapter; empty for every linear layer but the output's."""
    trust_remote_code: bool = False
    """Run Python that comes with the model."""

    def __post_init__(self) -> None:
        dtypes = get_args(Dtype)
        for name, choices in {"adapter": get_args(Adapter), "dtype": dtypes, "weights_dtype": dtypes}.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}: {getattr(self, name)!r} is none of {', '.join(choices)}")
        for name in ("chunk_tokens", "lora_rank", "lora_alpha"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is less than 1")


def load_model(
    config: ModelConfig, device: torch.device, *, place: torch.device | None = None
) -> PreTrainedModel | PeftModel:
    """Return the model for training on ``device``. Raises OSError where there is none, and ValueError.

    ``place``: where it is put for now; a model that is to be sharded need not fit on one device. Default: ``device``.
    """
    packed_attention.register()
    compute_dtype = resolve_dtype(config.dtype, device)
    frozen_base = config.adapter != "none"
    weights_dtype = compute_dtype if frozen_base else resolve_dtype(config.weights_dtype, device, auto=compute_dtype)
    options: dict[str, Any] = {}
    if config.adapter == "qlora":
        options = {"quantization_config": _four_bits(compute_dtype), "device_map": {"": device}}
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        config.name,
        revision=config.revision,
        dtype=weights_dtype,
        attn_implementation=_attention(config.attention, device),
        trust_remote_code=config.trust_remote_code,
        **options,
    )
    if not options:
        model = cast(PreTrainedModel, model.to(place or device))  # type: ignore[arg-type] # transformers' decorator
    _without_dropout(model)
    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return _with_adapter(model, config)


def default_device() -> torch.device:
    """Return this process's GPU, or the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def resolve_dtype(name: Dtype, device: torch.device, *, auto: torch.dtype | None = None) -> torch.dtype:
    """Return the dtype called ``name``; for ``auto`` the one given, or what suits ``device``."""
    if name == "auto":
        return auto or (torch.bfloat16 if device.type == "cuda" else torch.float32)
    dtype = getattr(torch, name)
    assert isinstance(dtype, torch.dtype)  # noqa: S101 - `ModelConfig` has checked the name
    return dtype


def _attention(name: str, device: torch.device) -> str:
    if name != "auto":
        return name
    flash = device.type == "cuda" and importlib.util.find_spec("flash_attn") is not None
    return "flash_attention_2" if flash else packed_attention.NAME


def _four_bits(dtype: torch.dtype) -> BitsAndBytesConfig:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ValueError('adapter = "qlora" needs the package bitsandbytes; adapter = "lora" does not')
    if distributed.is_initialized() and distributed.get_world_size() > 1:
        raise ValueError('adapter = "qlora" runs on one GPU; adapter = "lora" is sharded over many')
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call] # transformers'
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )


def _with_adapter(model: PreTrainedModel, config: ModelConfig) -> PreTrainedModel | PeftModel:
    """Return ``model`` with a new adapter, in float32, whose product is 0 at first; itself where none is asked for.

    peft's preparation of models in 4 bits is left out: it keeps both embeddings in 32 bits, 5 GiB for 8B parameters.
    """
    if config.adapter == "none":
        return model
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        target_modules=list(config.lora_targets) or "all-linear",
    )
    return cast(PeftModel, get_peft_model(model, lora))


def _without_dropout(model: nn.Module) -> None:
    """Switch dropout off for good: with it, a policy's ratio to itself would not be 1."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = 0.0  # type: ignore[assignment] # a number on transformers' attention layers
