"""vLLM in the trainer's own process: on one GPU it and the update take turns, and on a CPU it is one program less.

vLLM is made to share a process: what it changes in torch is put back, and the process group of a distributed trainer
is left standing.
"""

import gc
import logging
import os
import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from safetensors.torch import save_file

from trainer_client.training.rollout import Completion, RolloutConfig, RolloutError, SamplingParameters, prompt_seed

os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")  # nobody's training is reported to anybody
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")  # its warnings are dozens at each start and weight update
os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # read when an engine is made: it runs in this process

import vllm
from vllm.config.lora import MaxLoRARanks
from vllm.distributed import parallel_state
from vllm.logprobs import FlatLogprobs
from vllm.lora.request import LoRARequest
from vllm.platforms import current_platform
from vllm.sampling_params import RequestOutputKind

_log = logging.getLogger(__name__)
RECEIVER = "trainer_client.training.vllm_worker.WeightReceiver"
_CPU_CACHE_GIB = 1.0
_ADAPTER = "policy"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a private directory is made in it
_ON_CPU = bool(current_platform.is_cpu())


class ColocatedEngine:
    """A `Rollout` by vLLM's synchronous engine, stepped by whoever reads the groups."""

    def __init__(self, model: str, config: RolloutConfig, *, adapter_rank: int = 0) -> None:
        """Start the engine; it takes seconds. ``adapter_rank``: the largest rank of the adapters to come."""
        self._config = config
        self._sleep_level = _sleep_level(config, adapter_rank)
        self._shares_process_group = torch.distributed.is_initialized()
        self._requests = 0
        self._adapter: LoRARequest | None = None
        self._asleep: frozenset[str] = frozenset()
        self._llm: Any = None
        try:
            with _torch_left_alone():
                self._llm = vllm.LLM(**_arguments(model, config, adapter_rank, self._sleep_level))
        except Exception as error:
            self.close()
            raise RolloutError(f"vLLM does not start with {model}: {error}") from error

    def generate(
        self, prompts: Sequence[Sequence[int]], group_size: int, sampling: SamplingParameters
    ) -> Iterator[tuple[int, tuple[Completion, ...]]]:
        """Yield each group as it finishes; see `Rollout`."""
        self._wake("weights", "kv_cache")
        engine = self._llm.llm_engine
        running: dict[str, int] = {}
        try:
            for position, prompt in enumerate(prompts):
                self._requests += 1
                name = str(self._requests)
                running[name] = position
                parameters = vllm.SamplingParams(
                    **sampling_arguments(sampling, position, group_size),
                    output_kind=RequestOutputKind.FINAL_ONLY,
                    flat_logprobs=True,
                )
                engine.add_request(name, {"prompt_token_ids": list(prompt)}, parameters, lora_request=self._adapter)
            while running:
                for output in engine.step():
                    yield running.pop(output.request_id), tuple(_completion(one) for one in output.outputs)
        finally:
            engine.abort_request(list(running))

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Take over ``weights`` in place; see `Rollout`. The cache's memory is taken only when it is needed."""
        self._wake("weights")
        if self._config.tensor_parallel == 1:
            self._llm.collective_rpc("receive_weights", kwargs={"weights": weights})
        else:
            with weights_file(weights) as path:
                self._llm.collective_rpc("receive_weights_file", kwargs={"path": str(path)})
        if self._adapter is not None:
            self.load_adapter(Path(self._adapter.lora_path))
        self._forget_prefixes()

    def load_adapter(self, path: Path) -> None:
        """Generate with the adapter at ``path`` from now on; see `Rollout`."""
        self._wake("weights")
        swap = LoRARequest(_ADAPTER, 1, str(path), load_inplace=True)
        if not self._llm.llm_engine.add_lora(swap):
            raise RolloutError(f"vLLM does not take the adapter {path}")
        self._adapter = LoRARequest(_ADAPTER, 1, str(path))  # with `load_inplace` each request would read it again
        self._forget_prefixes()

    def sleep(self) -> None:
        """Give memory back, as far as `sleep_level` says; see `Rollout`."""
        if self._sleep_level and not self._asleep:
            self._llm.sleep(level=self._sleep_level)
            self._asleep = frozenset({"weights", "kv_cache"})

    def wake(self) -> None:
        """Take the memory of the weights; that of the cache is taken by the next `generate`. See `Rollout`."""
        self._wake("weights")

    def close(self) -> None:
        """End the engine; see `Rollout`. The process group of a trainer that had one before stays."""
        if self._llm is not None:
            self._llm.llm_engine.engine_core.shutdown()
            self._llm = None
        parallel_state.destroy_model_parallel()  # type: ignore[no-untyped-call] # theirs
        if not self._shares_process_group:
            parallel_state.destroy_distributed_environment()  # type: ignore[no-untyped-call] # theirs
        gc.unfreeze()  # vLLM froze what was alive at its start
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _wake(self, *parts: str) -> None:
        for part in parts:
            if part in self._asleep:
                self._llm.wake_up(tags=[part])
                self._asleep -= {part}

    def _forget_prefixes(self) -> None:
        if not self._llm.reset_prefix_cache():
            raise RolloutError("weights were loaded while completions were being generated")


def sampling_arguments(sampling: SamplingParameters, position: int, group_size: int) -> dict[str, Any]:
    """Return the arguments of vLLM's `SamplingParams` for the group at ``position``; none is left to a default."""
    return {
        "n": group_size,
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


def lora_rank(adapter_rank: int) -> int:
    """Return the smallest rank that vLLM offers and that holds ``adapter_rank``."""
    offered = get_args(MaxLoRARanks)
    for rank in sorted(offered):
        if rank >= adapter_rank:
            return int(rank)
    raise RolloutError(f"adapter rank {adapter_rank} is past vLLM's largest, {max(offered)}")


def _arguments(model: str, config: RolloutConfig, adapter_rank: int, sleep_level: int) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "model": model,
        "dtype": "float32" if config.dtype == "auto" and _ON_CPU else config.dtype,
        "max_model_len": config.max_model_len,
        "max_num_seqs": config.max_sequences,
        "max_num_batched_tokens": config.max_batched_tokens,
        "gpu_memory_utilization": config.gpu_memory_utilization,
        "kv_cache_memory_bytes": cache_bytes(config, on_cpu=_ON_CPU),
        "enforce_eager": config.enforce_eager or _ON_CPU,
        "enable_sleep_mode": sleep_level > 0,
        "tensor_parallel_size": config.tensor_parallel,
        "logprobs_mode": "processed_logprobs",
        "generation_config": "vllm",  # what a model's files say about sampling is not what the run was told
        "worker_extension_cls": RECEIVER,
        "use_tqdm_on_load": False,
    }
    if adapter_rank:
        arguments |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": lora_rank(adapter_rank)}
    if torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1:
        if config.tensor_parallel > 1:
            raise RolloutError(
                'under torchrun each process has an engine of its own: tensor_parallel needs engine = "server"'
            )
        arguments["distributed_executor_backend"] = "external_launcher"
    return arguments


def cache_bytes(config: RolloutConfig, *, on_cpu: bool) -> int | None:
    """Return the memory for keys and values; None for what `gpu_memory_utilization` leaves."""
    gib = config.kv_cache_gib or (_CPU_CACHE_GIB if on_cpu else None)
    return None if gib is None else int(gib * (1 << 30))


def _sleep_level(config: RolloutConfig, adapter_rank: int) -> int:
    if _ON_CPU:
        _log.info("the engine runs on the CPU, so that it has no memory to give back: sleep does nothing")
        return 0
    return min(config.sleep_level, 1) if adapter_rank else config.sleep_level


def _completion(output: vllm.CompletionOutput) -> Completion:
    if output.finish_reason not in {"stop", "length"}:
        raise RolloutError(f"vLLM ended a completion with {output.finish_reason!r}")
    assert isinstance(output.logprobs, FlatLogprobs)  # noqa: S101 - it was asked for
    return Completion(
        token_ids=tuple(output.token_ids),
        logprobs=tuple(output.logprobs.logprobs),
        text=output.text,
        finish_reason="stop" if output.finish_reason == "stop" else "length",
    )


@contextmanager
def weights_file(weights: Iterable[tuple[str, torch.Tensor]], directory: Path | None = None) -> Iterator[Path]:
    """Lay ``weights`` down as one file, in shared memory unless a ``directory`` is named, and remove it afterwards."""
    place = directory or (_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None)
    with tempfile.TemporaryDirectory(prefix="weights-", dir=place) as folder:
        path = Path(folder) / "weights.safetensors"
        save_file({name: tensor.detach().contiguous().cpu() for name, tensor in weights}, path)
        yield path


@contextmanager
def _torch_left_alone() -> Iterator[None]:
    """Undo what an engine's start does to the process: seeds set, threads fixed, and the way to change them removed."""
    set_threads, threads = torch.set_num_threads, torch.get_num_threads()
    python, arrays, tensors = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 - the global one is what is reseeded
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        torch.set_num_threads = set_threads
        torch.set_num_threads(threads)
        random.setstate(python)
        np.random.set_state(arrays)  # noqa: NPY002 - as above
        torch.set_rng_state(tensors)
        if devices:
            torch.cuda.set_rng_state_all(devices)
