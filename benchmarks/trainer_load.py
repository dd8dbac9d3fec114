"""What both sides of `trainer.py` have to do in a step, and how it is timed."""

import os
import string
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one step has to do."""

    model: str
    prompts: int
    group: int
    prompt_tokens: int
    completion_tokens: int
    at_once: int
    """Samples in a micro-batch."""
    steps: int

    def texts(self) -> list[str]:
        """Return the prompts of all steps, the uncounted one too: letters, which are a token each."""
        random = Random(0)
        letters = [random.choices(string.ascii_letters, k=self.prompt_tokens) for _ in range(self.prompts)]
        return ["".join(each) for each in letters] * (self.steps + 1)


class Clock:
    """Adds up seconds by name, and remembers the memory that was in use at most."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self.peak_bytes = 0
        self._stop = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Count what happens inside, until the device has done it."""
        synchronize()
        begun = time.perf_counter()
        yield
        synchronize()
        self.seconds.setdefault(name, []).append(time.perf_counter() - begun)

    def measured(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``function``, counted."""

        def wrapper(*arguments: Any, **options: Any) -> Any:
            with self.measure(name):
                return function(*arguments, **options)

        return wrapper

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.peak_bytes = max(self.peak_bytes, _bytes_in_use())


def synchronize() -> None:
    """Wait until the device has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _bytes_in_use() -> int:
    """Return what is taken of the GPU's memory, or of this process's without one."""
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return total - free
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def worth(token_ids: Sequence[int]) -> float:
    """Return the reward of a completion: the share of even tokens. It costs nothing, and groups have spread."""
    return sum(token % 2 == 0 for token in token_ids) / max(len(token_ids), 1)
