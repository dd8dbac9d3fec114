"""What generates: the options, the records and the protocol of the loop; `engines` opens what implements it.

Prompts and completions are token ids: what the trainer scores is exactly what the engine sampled, never text that was
decoded and encoded again.
"""

import hashlib
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import torch

_SEEDS = 1 << 62


class RolloutError(Exception):
    """The engine cannot start, or cannot generate; never about what a model wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParameters:
    """How tokens are drawn."""

    temperature: float = 1.0
    """0 takes the likeliest token each time."""
    top_p: float = 1.0
    """Keep the likeliest tokens that together have this probability."""
    top_k: int = 0
    """Keep this many of the likeliest tokens; 0 for all."""
    min_p: float = 0.0
    """Keep the tokens that have this share of the likeliest token's probability."""
    max_tokens: int = 512
    """A completion that has not ended by then is cut, with finish_reason "length"."""
    stop: tuple[str, ...] = ()
    """Texts that end a completion; they stay out of the text, and their tokens stay in the token ids."""
    stop_token_ids: tuple[int, ...] = ()
    """Tokens that end a completion, beside the model's own end token."""
    seed: int | None = None
    """The same seed, prompts and weights draw the same completions; None draws others each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the model wrote to one prompt."""

    token_ids: tuple[int, ...]
    """With the end token, when the model wrote one."""
    logprobs: tuple[float, ...]
    """Of each sampled token, under the distribution it was drawn from: after temperature, top-p and the like."""
    text: str
    """Without the end token and without the stop text."""
    finish_reason: Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutConfig:
    """The section `[rollout]`: which engine generates, how, and within which memory."""

    engine: Literal["colocated", "server"] = "colocated"
    """In the trainer's own process and on its own GPUs, taking turns with the update; or in processes of its own."""
    group_size: int = 8
    """Completions to each prompt."""
    sampling: SamplingParameters = field(default_factory=SamplingParameters)
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """Of weights and activations when generating; auto: the 16-bit type of the model's files, and float32 on a CPU."""
    max_model_len: int | None = None
    """Tokens of prompt and completion together; default: the model's own limit, and memory is planned for it."""
    max_sequences: int = 256
    """Completions generated at once; more wait. With `max_batched_tokens` it fixes how batches are cut."""
    max_batched_tokens: int | None = None
    """Tokens computed in one pass; default: vLLM's."""
    gpu_memory_utilization: float = 0.4
    """Share of a GPU's memory for the engine, weights included."""
    kv_cache_gib: float | None = None
    """Memory for keys and values instead of what `gpu_memory_utilization` leaves; on CPU the default is 1 GiB."""
    enforce_eager: bool = False
    """No CUDA graphs: the start is faster, generation slower. Always so on CPU."""
    sleep_level: Literal[0, 1, 2] = 2
    """What the colocated engine gives up during updates. 0: nothing; 1: its cache, and weights are moved out; 2: both.

    With LoRA adapters 2 counts as 1, since base weights are not sent again. A CPU's one memory cannot be given back.
    """
    tensor_parallel: int = 1
    """GPUs that share one copy of the model."""
    data_parallel: int = 1
    """Copies of the model in the server; under torchrun each process has a colocated copy of its own anyway."""
    servers: tuple[str, ...] = ()
    """Base URLs of running servers, e.g. "http://10.0.0.2:8000"; prompts are dealt to them in turn. Empty: one is
    started on this machine, and ends with the run."""
    devices: str | None = None
    """CUDA_VISIBLE_DEVICES of the server that is started here, so that it and the trainer share no GPU."""
    transfer: Literal["auto", "nccl", "file"] = "auto"
    """How weights reach a server: over NCCL, or by a file on a disk that both see; auto: NCCL where there are GPUs."""
    transfer_directory: Path | None = None
    """Where the files of `transfer = "file"` go; default: shared memory. Servers elsewhere need a shared disk."""
    start_seconds: float = 900.0
    """How long a server may take to be ready."""


class Rollout(Protocol):
    """An engine that draws groups of completions. One thread uses it at a time."""

    def generate(
        self, prompts: Sequence[Sequence[int]], group_size: int, sampling: SamplingParameters
    ) -> Generator[tuple[int, tuple[Completion, ...]], None, None]:
        """Yield (position of the prompt, its ``group_size`` completions) as each group finishes, in any order.

        Blocks between groups. Closing the generator early aborts what still runs.
        """

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Take over ``weights``, by their names in the checkpoint, in place; drop what was cached of the old."""

    def load_adapter(self, path: Path) -> None:
        """Generate with the LoRA adapter saved at ``path`` from now on, in place of the one before."""

    def sleep(self) -> None:
        """Give the accelerator's memory back until `wake`; nothing can be generated meanwhile. Twice is once."""

    def wake(self) -> None:
        """Take the memory again. Where `sleep` gave up the weights, load them before the next `generate`."""

    def close(self) -> None:
        """End the engine and every process of it. Twice is once."""


def prompt_seed(seed: int, position: int) -> int:
    """Return the seed of the first completion to the prompt at ``position``; each further one has the next number.

    A hash keeps the draws of neighbouring seeds and prompts apart.
    """
    digest = hashlib.blake2b(f"{seed} {position}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % _SEEDS
