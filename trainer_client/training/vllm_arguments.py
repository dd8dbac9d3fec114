"""The options of a run in vLLM's words, for both engines. Nothing of vLLM is imported here: that takes seconds."""

from typing import Any

from trainer_client.training.rollout import Completion, RolloutConfig, RolloutError, SamplingParameters, prompt_seed

RECEIVER = "trainer_client.training.vllm_worker.WeightReceiver"
MODEL = "policy"
"""What a server calls the model, and the engine the adapter, whatever their names are."""
LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""The sizes of adapter slots that vLLM offers."""
_CPU_CACHE_GIB = 1.0


def sampling_arguments(sampling: SamplingParameters, position: int, group_size: int) -> dict[str, Any]:
    """Return the arguments of `SamplingParams` for the group at ``position``; none is left to a default."""
    return {
        "n": group_size if sampling.temperature else 1,  # the likeliest tokens are the same each time: see `whole`
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "max_tokens": sampling.max_tokens,
        "stop": list(sampling.stop),
        "stop_token_ids": list(sampling.stop_token_ids),
        "seed": None if sampling.seed is None else prompt_seed(sampling.seed, position),
        "logprobs": 0,  # of the sampled token alone
    }


def whole(group: tuple[Completion, ...], group_size: int) -> tuple[Completion, ...]:
    """Return ``group`` with as many completions as were asked for, where they are all the same and one was drawn."""
    return group if len(group) == group_size else group * group_size


def engine_arguments(config: RolloutConfig, *, adapter_rank: int, on_cpu: bool) -> dict[str, Any]:
    """Return the arguments of vLLM's `EngineArgs` that both engines share, where they are not its defaults."""
    arguments: dict[str, Any] = {
        "dtype": "float32" if config.dtype == "auto" and on_cpu else config.dtype,
        "max_num_seqs": config.max_sequences,
        "gpu_memory_utilization": config.gpu_memory_utilization,
        "tensor_parallel_size": config.tensor_parallel,
        "logprobs_mode": "processed_logprobs",
        "generation_config": "vllm",  # what a model's files say about sampling is not what the run was told
        "worker_extension_cls": RECEIVER,
    }
    if config.max_model_len is not None:
        arguments["max_model_len"] = config.max_model_len
    if config.max_batched_tokens is not None:
        arguments["max_num_batched_tokens"] = config.max_batched_tokens
    if gib := config.kv_cache_gib or (_CPU_CACHE_GIB if on_cpu else None):
        arguments["kv_cache_memory_bytes"] = int(gib * (1 << 30))
    if config.enforce_eager or on_cpu:
        arguments["enforce_eager"] = True
    if adapter_rank:
        arguments |= {"enable_lora": True, "max_loras": 1, "max_cpu_loras": 2, "max_lora_rank": lora_rank(adapter_rank)}
    return arguments


def lora_rank(adapter_rank: int) -> int:
    """Return the smallest slot that holds an adapter of ``adapter_rank``. Raises `RolloutError`."""
    for rank in LORA_RANKS:
        if rank >= adapter_rank:
            return rank
    raise RolloutError(f"adapter rank {adapter_rank} is past vLLM's largest, {LORA_RANKS[-1]}")


def uses_nccl(config: RolloutConfig, *, on_cpu: bool) -> bool:
    """Return whether weights go to a server over NCCL."""
    return config.transfer == "nccl" or (config.transfer == "auto" and not on_cpu)
