"""vLLM in the trainer's own process: on one GPU it and the update take turns, and on a CPU it is one program less.

vLLM is made to share a process: what it changes in torch is put back, and the process group of a distributed trainer
is left standing.
"""

import gc
import logging
import os
import random
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer_client.training.rollout import Completion, RolloutConfig, RolloutError, SamplingParameters
from trainer_client.training.vllm_arguments import MODEL, engine_arguments, sampling_arguments, whole
from trainer_client.training.weight_transfer import weights_file

os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")  # nobody's training is reported to anybody
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")  # its warnings are dozens at each start and weight update
os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # read when an engine is made: it runs in this process

import vllm
from vllm.distributed import parallel_state
from vllm.exceptions import VLLMValidationError
from vllm.logprobs import FlatLogprobs
from vllm.lora.request import LoRARequest
from vllm.platforms import current_platform
from vllm.sampling_params import RequestOutputKind

_log = logging.getLogger(__name__)
_ON_CPU = bool(current_platform.is_cpu())


class ColocatedEngine:
    """A `Rollout` by vLLM's synchronous engine, stepped by whoever reads the groups."""

    def __init__(self, model: str, config: RolloutConfig, *, adapter_rank: int = 0) -> None:
        """Start the engine; it takes seconds. ``adapter_rank``: the largest rank of the adapters to come.

        A process holds one engine at a time, since vLLM keeps its groups of GPUs for the whole process.
        """
        if parallel_state.model_parallel_is_initialized():  # type: ignore[no-untyped-call] # theirs
            raise RolloutError("a process holds one engine at a time: close the other first")
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
    ) -> Generator[tuple[int, tuple[Completion, ...]], None, None]:
        """Yield each group as it finishes; see `Rollout`."""
        # A new thread has OpenMP's own number of threads until torch is asked for its; vLLM's kernels compare the two.
        torch.get_num_threads()
        self._wake("weights", "kv_cache")
        engine = self._llm.llm_engine
        running: dict[str, int] = {}
        try:
            for position, prompt in enumerate(prompts):
                self._requests += 1
                running[str(self._requests)] = position
                self._add(str(self._requests), prompt, sampling_arguments(sampling, position, group_size))
            for state in engine.output_processor.request_states.values():
                state.logprobs_processor.tokenizer = None  # each token's own text: nobody reads it, and it takes long
            while running:
                for output in engine.step():
                    group = tuple(_completion(one) for one in output.outputs)
                    yield running.pop(output.request_id), whole(group, group_size)
        finally:
            engine.abort_request(list(running))

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Take over ``weights`` in place; see `Rollout`. The cache's memory is taken only when it is needed."""
        self._wake("weights")
        try:
            if self._config.tensor_parallel == 1:
                self._llm.collective_rpc("receive_weights", kwargs={"weights": weights})
            else:
                with weights_file(weights) as path:
                    self._llm.collective_rpc("receive_weights_file", kwargs={"path": str(path)})
        except ValueError as error:
            raise RolloutError(f"the weights are not those of the model: {error}") from error
        if self._adapter is not None:
            self.load_adapter(Path(self._adapter.lora_path))
        self._forget_prefixes()

    def load_adapter(self, path: Path) -> None:
        """Generate with the adapter at ``path`` from now on; see `Rollout`."""
        self._wake("weights")
        swap = LoRARequest(MODEL, 1, str(path), load_inplace=True)
        if not self._llm.llm_engine.add_lora(swap):
            raise RolloutError(f"vLLM does not take the adapter {path}")
        self._adapter = LoRARequest(MODEL, 1, str(path))  # with `load_inplace` each request would read it again
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
        client = self._llm.llm_engine.engine_core if self._llm is not None else None
        self._llm = None
        if client is not None and self._shares_process_group:
            _end_within_a_group(client)
        elif client is not None:
            client.shutdown()
        parallel_state.destroy_model_parallel()  # type: ignore[no-untyped-call] # theirs
        if self._shares_process_group:
            _forget_world()
        else:
            parallel_state.destroy_distributed_environment()  # type: ignore[no-untyped-call] # theirs
        gc.unfreeze()  # vLLM froze what was alive at its start
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _add(self, name: str, prompt: Sequence[int], arguments: dict[str, Any]) -> None:
        try:
            parameters = vllm.SamplingParams(**arguments, output_kind=RequestOutputKind.FINAL_ONLY, flat_logprobs=True)
            self._llm.llm_engine.add_request(
                name, {"prompt_token_ids": list(prompt)}, parameters, lora_request=self._adapter
            )
        except (ValueError, VLLMValidationError) as error:
            raise RolloutError(f"vLLM does not take the prompt of {len(prompt)} tokens: {error}") from error

    def _wake(self, *parts: str) -> None:
        for part in parts:
            if part in self._asleep:
                self._llm.wake_up(tags=[part])
                self._asleep -= {part}

    def _forget_prefixes(self) -> None:
        if not self._llm.reset_prefix_cache():
            raise RolloutError("weights were loaded while completions were being generated")


def _arguments(model: str, config: RolloutConfig, adapter_rank: int, sleep_level: int) -> dict[str, Any]:
    arguments = engine_arguments(config, adapter_rank=adapter_rank, on_cpu=_ON_CPU) | {
        "model": model,
        "enable_sleep_mode": sleep_level > 0,
        "use_tqdm_on_load": False,
    }
    if torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1:
        if config.tensor_parallel > 1:
            raise RolloutError(
                'tensor_parallel under torchrun needs engine = "server": each process has a whole engine'
            )
        arguments["distributed_executor_backend"] = "external_launcher"
    return arguments


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


def _end_within_a_group(client: Any) -> None:
    """Shut the engine down as it does itself, but for the process group, which it would destroy for the trainer too."""
    client._finalizer.detach()  # noqa: SLF001 - else the garbage collector does what is avoided here
    core = client.engine_core
    core.structured_output_manager.clear_backend()
    core.model_executor.shutdown()
    core.scheduler.shutdown()


def _forget_world() -> None:
    """Do of `destroy_distributed_environment` what concerns vLLM alone."""
    if parallel_state._WORLD is not None:  # noqa: SLF001 - there is no other way to it
        parallel_state._WORLD.destroy()  # type: ignore[no-untyped-call] # noqa: SLF001 - theirs, as above
    parallel_state._WORLD = parallel_state._NODE_COUNT = None  # noqa: SLF001 - as above


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
