"""The model that is trained: loaded, sharded, asked for log-probabilities, handed to the engine, saved.

Full fine-tuning keeps float32 weights and computes in 16 bits: steps of 1e-6 vanish in weights of 16 bits. With LoRA
and QLoRA the base is frozen in 16 bits (or 4), and the reference is the base itself, its adapter switched off.
Several processes under torchrun shard weights, gradients and optimizer state with FSDP2.
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor
from transformers import PreTrainedModel
from transformers.core_model_loading import revert_weight_conversion

from trainer_client.training.chunked_logprobs import chunked_logprobs
from trainer_client.training.model_loading import ModelConfig, default_device, load_model, resolve_dtype
from trainer_client.training.packing import Packed, pack

_TOLERANCES = {torch.bfloat16: 0.5, torch.float32: 0.01, torch.float64: 0.001}
"""Of log-probabilities: what rounding explains (a logit of 20 is off by 0.06 in 16 bits), below what a fault does."""
_ADAPTER = "default"
"""peft's name for an adapter that was given none."""


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

    def forward(self, packed: Packed, temperature: float, *, whole: bool = False) -> tuple[Tensor, Tensor]:
        """Return log-probability and entropy of each completion token: both (T,).

        ``whole``: out of the logits (L, V) that the model itself makes, to compare with; without gradient, no entropy.
        """
        if whole:
            logits = self.language_model(**_inputs(packed)).logits[0, packed.predictors]
            logs = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(-1)
            return logs.gather(1, packed.targets[:, None]).squeeze(1), logs.new_zeros(len(logs))
        outputs = self.language_model.base_model(**_inputs(packed))
        hidden = outputs.last_hidden_state[0, packed.predictors].to(self._head_dtype)
        weight = self.output_weight.to(self._head_dtype)
        with torch.autocast(hidden.device.type, enabled=False):
            return chunked_logprobs(
                hidden, weight, packed.targets, temperature=temperature, chunk_tokens=self._chunk_tokens
            )


class Policy:
    """The model in training, and the frozen one it started as."""

    def __init__(self, config: ModelConfig, *, reference: bool, device: torch.device | None = None) -> None:
        """Load the model. Raises OSError where there is none, and ValueError where it cannot be trained here.

        ``reference``: whether `reference_logprobs` will be asked for; without an adapter that is a second copy. Under
        torchrun, after `torch.distributed.init_process_group`, both are sharded over all processes, each of which reads
        the whole model into main memory first.
        """
        self.config = config
        self.device = device or default_device()
        self.sharded = distributed.is_initialized() and distributed.get_world_size() > 1
        self._dtype = resolve_dtype(config.dtype, self.device)
        model = load_model(config, self.device, place=torch.device("cpu") if self.sharded else None)
        head_dtype = torch.promote_types(self._dtype, torch.float32) if config.head_float32 else self._dtype
        self.scorer = Scorer(model, chunk_tokens=config.chunk_tokens, head_dtype=head_dtype)
        self.scorer.train()
        self._reference = copy.deepcopy(self.scorer) if reference and config.adapter == "none" else None
        if self._reference is not None:
            self._reference.requires_grad_(requires_grad=False).eval()
        if self.sharded:
            for scorer in filter(None, (self.scorer, self._reference)):
                _shard(scorer, self._dtype, self.device)
        self.trained = [parameter for parameter in self.scorer.parameters() if parameter.requires_grad]
        """What the optimizer moves; this process's shards where it is sharded."""
        self._check()

    @property
    def model(self) -> PreTrainedModel | PeftModel:
        """The transformers or peft model."""
        return self.scorer.model

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
            raise ValueError("a base of 4 bits takes no adapter in: `trainer-client export --merge` does over 16 bits")
        merged = {
            name.replace(".base_layer.", "."): _whole(parameter)
            for name, parameter in self.scorer.language_model.named_parameters()
            if not parameter.requires_grad
        }
        for name, module in self.scorer.language_model.named_modules():
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

    def _autocast(self) -> AbstractContextManager[Any]:
        """Compute in `dtype` where the weights are in another; FSDP2 casts by itself."""
        mixed = not self.sharded and self._dtype in (torch.bfloat16, torch.float16)
        return torch.autocast(self.device.type, dtype=self._dtype) if mixed else nullcontext()

    @torch.no_grad()
    def _check(self) -> None:
        """Refuse a model whose log-probabilities would be wrong here. Raises ValueError.

        One short sample twice in a row, and its whole logits, show both: layers that carry something from one sample
        into the next (recurrent ones), and logits that are more than a product with the output layer (scales, caps).
        """
        tokens = [(7 * place + 1) % self.scorer.output_weight.shape[0] for place in range(8)]
        sample = (tokens[:1], tokens[1:])
        first, second = self.logprobs(pack([sample, sample]))[0].chunk(2)
        with self._autocast():
            theirs, _ = self.scorer(pack([sample]).to(self.device), 1.0, whole=True)
        for gap, fault in (
            ((first - theirs).abs().max().item(), "it scales or caps its logits"),
            ((second - first).abs().max().item(), "its layers carry over from one packed sample to the next"),
        ):
            if not gap <= _TOLERANCES[self._dtype]:
                raise ValueError(f"{self.config.name}: {fault}, which is not supported (off by {gap:.3g})")


def _inputs(packed: Packed) -> dict[str, Any]:
    """Return what a transformers model is called with. Boundaries are for the attentions that take them."""
    return {
        "input_ids": packed.input_ids,
        "position_ids": packed.position_ids,
        "use_cache": False,
        "cu_seq_lens_q": packed.boundaries,
        "cu_seq_lens_k": packed.boundaries,
        "max_length_q": packed.longest,
        "max_length_k": packed.longest,
    }


def _shard(scorer: Scorer, dtype: torch.dtype, device: torch.device) -> None:
    """Shard each decoder layer, then what is left, over all processes; compute in ``dtype``, reduce in float32."""
    mesh = init_device_mesh(device.type, (distributed.get_world_size(),))
    precision = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.promote_types(dtype, torch.float32))
    blocks = scorer.language_model._no_split_modules or ()  # noqa: SLF001 - transformers' own name for "shard here"
    for module in scorer.modules():
        if type(module).__name__ in blocks:
            fully_shard(module, mesh=mesh, mp_policy=precision)
    fully_shard(scorer, mesh=mesh, mp_policy=precision)


def _whole(parameter: Tensor) -> Tensor:
    """Return a weight as one plain tensor; a collective where it is sharded."""
    weight = parameter.detach()
    return weight.full_tensor() if isinstance(weight, DTensor) else weight
