"""The model that is trained: loaded, sharded, asked for log-probabilities, handed to the engine, saved.

Full fine-tuning keeps float32 weights and computes in 16 bits: steps of 1e-6 vanish in weights of 16 bits. With LoRA
and QLoRA the base is frozen in 16 bits (or 4), and the reference is the base itself, its adapter switched off.
Several processes under torchrun shard weights, gradients and optimizer state with FSDP2.
"""

import copy
import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, distributed, nn
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel
from transformers.core_model_loading import revert_weight_conversion

from trainer_client.training import packed_attention
from trainer_client.training.chunked_logprobs import chunked_logprobs
from trainer_client.training.packing import Packed, pack

Adapter: TypeAlias = Literal["none", "lora", "qlora"]
Dtype: TypeAlias = Literal["auto", "bfloat16", "float16", "float32", "float64"]

_ADAPTER = "default"
"""peft's name for an adapter that was given none."""


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
        for name, choices in {"adapter": get_args(Adapter), "dtype": get_args(Dtype)}.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}: {getattr(self, name)!r} is none of {', '.join(choices)}")
        if self.weights_dtype not in get_args(Dtype):
            raise ValueError(f"weights_dtype: {self.weights_dtype!r} is none of {', '.join(get_args(Dtype))}")
        for name in ("chunk_tokens", "lora_rank", "lora_alpha"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is less than 1")


class Scorer(nn.Module):
    """A causal language model as a function from packed samples to log-probabilities.

    One module from end to end, so that FSDP2 gathers the output layer too, though its `forward` is never called.
    """

    def __init__(self, model: PreTrainedModel | PeftModel, *, chunk_tokens: int, head_dtype: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self._chunk_tokens = chunk_tokens
        self._head_dtype = head_dtype

    @property
    def language_model(self) -> PreTrainedModel:
        """The transformers model; with LoRA, its layers have the adapter inside."""
        return cast(PreTrainedModel, self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model)

    @property
    def output_weight(self) -> Tensor:
        """(V, H): what makes logits of hidden states."""
        return cast(Tensor, cast(Any, self.language_model).get_output_embeddings().weight)

    def forward(self, packed: Packed, temperature: float) -> tuple[Tensor, Tensor]:
        """Return log-probability and entropy of each completion token: both (T,)."""
        outputs = self.language_model.base_model(
            input_ids=packed.input_ids,
            position_ids=packed.position_ids,
            use_cache=False,
            cu_seq_lens_q=packed.boundaries,
            cu_seq_lens_k=packed.boundaries,
            max_length_q=packed.longest,
            max_length_k=packed.longest,
        )
        hidden = outputs.last_hidden_state[0, packed.predictors].to(self._head_dtype)
        weight = self.output_weight.to(self._head_dtype)
        with torch.autocast(hidden.device.type, enabled=False):
            return chunked_logprobs(
                hidden, weight, packed.targets, temperature=temperature, chunk_tokens=self._chunk_tokens
            )


class Policy:
    """The model in training, and the frozen one it started as."""

    def __init__(self, config: ModelConfig, *, reference: bool, device: torch.device | None = None) -> None:
        """Load the model. ``reference``: whether `reference_logprobs` will be asked for.

        Under torchrun, after `torch.distributed.init_process_group`, it is sharded over all processes.
        """
        self.config = config
        self.device = device or default_device()
        self.sharded = distributed.is_initialized() and distributed.get_world_size() > 1
        self._dtype = resolve_dtype(config.dtype, self.device)
        self._weights_dtype = self._dtype if config.weights_dtype == "auto" else resolve_dtype(config.weights_dtype)
        model = _with_adapter(self._load(), config)
        head_dtype = torch.promote_types(self._dtype, torch.float32) if config.head_float32 else self._dtype
        self.scorer = Scorer(model, chunk_tokens=config.chunk_tokens, head_dtype=head_dtype)
        self.scorer.train()
        self._check_head()
        self._reference = copy.deepcopy(self.scorer) if reference and config.adapter == "none" else None
        if self._reference is not None:
            self._reference.requires_grad_(requires_grad=False).eval()
        if self.sharded:
            for scorer in filter(None, (self.scorer, self._reference)):
                _shard(scorer, self._dtype)

    @property
    def model(self) -> PreTrainedModel | PeftModel:
        """The transformers or peft model."""
        return self.scorer.model

    @property
    def trained(self) -> list[nn.Parameter]:
        """What the optimizer moves."""
        return [parameter for parameter in self.scorer.parameters() if parameter.requires_grad]

    def logprobs(self, packed: Packed, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """Return log-probability and entropy of each completion token, with gradient: both (T,), on the device."""
        with self._autocast():
            scored: tuple[Tensor, Tensor] = self.scorer(packed.to(self.device), temperature)
        return scored

    @torch.no_grad()
    def reference_logprobs(self, packed: Packed, temperature: float = 1.0) -> Tensor:
        """Return the log-probabilities (T,) under the model as it was loaded."""
        if isinstance(self.model, PeftModel):
            with self.model.disable_adapter(), self._autocast():
                return cast(Tensor, self.scorer(packed.to(self.device), temperature)[0])
        if self._reference is None:
            raise ValueError("this policy was loaded without a reference")
        with self._autocast():
            return cast(Tensor, self._reference(packed.to(self.device), temperature)[0])

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Yield every weight whole, in the dtype that is computed in, by its name in the checkpoint: for the engine.

        A sharded weight is gathered when its turn comes, so every process has to go through the iterator. An adapter
        is not merged: `save_adapter` is how the engine gets that.
        """
        if self.config.adapter != "none":
            raise ValueError("the weights of a model with an adapter do not change: hand on what save_adapter writes")
        for name, parameter in self.model.named_parameters():
            whole = _whole(parameter).to(self._dtype)
            yield from revert_weight_conversion(self.scorer.language_model, {name: whole}).items()

    def save_adapter(self, directory: Path) -> None:
        """Write the LoRA adapter as peft does; vLLM reads it. Every process calls, the first writes."""
        if self.config.adapter == "none":
            raise ValueError("this model has no adapter")
        trained = {name: value for name, value in self.model.named_parameters() if value.requires_grad}
        self._save(self.model, directory, trained)

    def save(self, directory: Path, *, merged: bool = False) -> None:
        """Write a checkpoint for `from_pretrained`; of the adapter alone where there is one. Every process calls.

        ``merged``: the adapter's product added to the base instead, as one model that needs no adapter.
        """
        if self.config.adapter == "none":
            self._save(self.model, directory, dict(self.model.named_parameters()))
        elif merged:
            self._save(self.scorer.language_model, directory, self._merged())
        else:
            self.save_adapter(directory)

    def _merged(self) -> dict[str, Tensor]:
        """Return the weights with the adapter in them, by the names of a model without one."""
        if self.config.adapter == "qlora":
            raise ValueError("a base of 4 bits takes no adapter in: load both with peft")
        modules = dict(self.scorer.language_model.named_modules())
        merged = {
            f"{name}.{own}".replace(".base_layer.", "."): _whole(parameter)
            for name, module in modules.items()
            for own, parameter in module.named_parameters(recurse=False)
            if not parameter.requires_grad
        }
        for name, module in modules.items():
            if isinstance(module, LoraLinear):
                down, up = (_whole(cast(Any, factors)[_ADAPTER].weight) for factors in (module.lora_A, module.lora_B))
                weight = merged[f"{name}.weight"]
                merged[f"{name}.weight"] = (weight + module.scaling[_ADAPTER] * (up @ down)).to(weight.dtype)
        return merged

    def _save(self, model: PreTrainedModel | PeftModel, directory: Path, parameters: Mapping[str, Tensor]) -> None:
        whole = {name: _whole(parameter).cpu() for name, parameter in parameters.items()}
        if not self.sharded or distributed.get_rank() == 0:
            model.save_pretrained(str(directory), state_dict=whole)
        if self.sharded:
            distributed.barrier()

    def _load(self) -> PreTrainedModel:
        """Return the model from disk or hub, on the device, without dropout."""
        packed_attention.register()
        config = self.config
        trained_whole = config.adapter == "none"
        options: dict[str, Any] = {}
        if config.adapter == "qlora":
            options = {"quantization_config": _four_bits(self.device, self._dtype), "device_map": {"": self.device}}
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            config.name,
            revision=config.revision,
            dtype=self._weights_dtype if trained_whole else self._dtype,
            attn_implementation=_attention(config.attention, self.device),
            trust_remote_code=config.trust_remote_code,
            **options,
        )
        if not options:
            model = cast(PreTrainedModel, model.to(self.device))  # type: ignore[arg-type] # transformers' decorator
        _without_dropout(model)
        if config.gradient_checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        return model

    def _autocast(self) -> AbstractContextManager[Any]:
        """Compute in `dtype` where the weights are in another; FSDP2 casts by itself."""
        mixed = not self.sharded and self._dtype in (torch.bfloat16, torch.float16)
        return torch.autocast(self.device.type, dtype=self._dtype) if mixed else nullcontext()

    @torch.no_grad()
    def _check_head(self) -> None:
        """Refuse a model whose logits are more than hidden states times output embeddings (soft caps, scales, biases).

        The whole logits of one short sample are what shows.
        """
        vocabulary = self.scorer.output_weight.shape[0]
        tokens = [(7 * place + 1) % vocabulary for place in range(8)]
        ours, _ = self.logprobs(pack([(tokens[:1], tokens[1:])]))
        with self._autocast():
            row = torch.tensor([tokens], device=self.device)
            cuts = torch.tensor([0, len(tokens)], dtype=torch.int32, device=self.device)
            sizes = {"cu_seq_lens_q": cuts, "cu_seq_lens_k": cuts, "max_length_q": 8, "max_length_k": 8}
            logits = self.scorer.language_model(input_ids=row, use_cache=False, **sizes).logits[0, :-1]
        theirs = logits.to(ours.dtype).log_softmax(-1).gather(1, row[0, 1:, None]).squeeze(1)
        gap = (ours - theirs).abs().max().item()
        if not gap <= 0.1:  # noqa: PLR2004 - well above what 16 bits explain, well below what a cap or scale does
            raise ValueError(
                f"{self.config.name}: its own log-probabilities are {gap:.3g} away from those of its output layer "
                "alone, so it scales or caps its logits, which is not supported"
            )


def default_device() -> torch.device:
    """Return this process's GPU, or the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def resolve_dtype(name: Dtype, device: torch.device | None = None) -> torch.dtype:
    """Return the dtype called ``name``; ``auto`` is for ``device`` to say."""
    if name == "auto":
        return torch.bfloat16 if device is not None and device.type == "cuda" else torch.float32
    dtype = getattr(torch, name)
    assert isinstance(dtype, torch.dtype)  # noqa: S101 - `ModelConfig` has checked the name
    return dtype


def _attention(name: str, device: torch.device) -> str:
    if name != "auto":
        return name
    flash = device.type == "cuda" and importlib.util.find_spec("flash_attn") is not None
    return "flash_attention_2" if flash else packed_attention.NAME


def _four_bits(device: torch.device, dtype: torch.dtype) -> BitsAndBytesConfig:
    if device.type != "cuda" or importlib.util.find_spec("bitsandbytes") is None:
        raise ValueError('adapter = "qlora" needs a GPU and the package bitsandbytes; adapter = "lora" needs neither')
    if distributed.is_initialized() and distributed.get_world_size() > 1:
        raise ValueError('adapter = "qlora" runs on one GPU; adapter = "lora" is sharded over many')
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call] # transformers'
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )


def _with_adapter(model: PreTrainedModel, config: ModelConfig) -> PreTrainedModel | PeftModel:
    """Return ``model`` with a new adapter, in float32, whose product is 0 at first; itself where none is asked for."""
    if config.adapter == "none":
        return model
    if config.adapter == "qlora":
        model = prepare_model_for_kbit_training(  # type: ignore[no-untyped-call] # peft's
            model,
            use_gradient_checkpointing=config.gradient_checkpointing,
            gradient_checkpointing_kwargs={"use_reentrant": False},
        )
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


def _shard(scorer: Scorer, dtype: torch.dtype) -> None:
    """Shard each decoder layer, then what is left, over all processes; compute in ``dtype``, reduce in float32."""
    precision = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.promote_types(dtype, torch.float32))
    blocks = scorer.language_model._no_split_modules or ()  # noqa: SLF001 - transformers' own name for "shard here"
    for module in scorer.modules():
        if type(module).__name__ in blocks:
            fully_shard(module, mp_policy=precision)
    fully_shard(scorer, mp_policy=precision)


def _whole(parameter: Tensor) -> Tensor:
    """Return a weight as one plain tensor; a collective where it is sharded."""
    weight = parameter.detach()
    return weight.full_tensor() if isinstance(weight, DTensor) else weight
