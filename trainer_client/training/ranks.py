"""The processes of one run under torchrun; one process is the common case, and then nothing here does anything."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import distributed

T = TypeVar("T")
_objects: distributed.ProcessGroup | None = None
"""A group of its own for `gather`: what it carries stays on the CPUs."""


@contextmanager
def processes() -> Iterator[None]:
    """Join the other processes that torchrun started, and leave them at the end."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or distributed.is_initialized():
        yield
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    global _objects  # noqa: PLW0603 - one process is in one run
    _objects = distributed.new_group(backend="gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()
        _objects = None


def rank() -> int:
    """Return which of the processes this is, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def count() -> int:
    """Return how many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def barrier() -> None:
    """Wait for all processes."""
    if count() > 1:
        distributed.barrier()


def gather(mine: T) -> list[T]:
    """Return what every process gave, by rank."""
    if count() == 1:
        return [mine]
    all_of_them: list[T] = [mine] * count()
    distributed.all_gather_object(all_of_them, mine, _objects)
    return all_of_them


def anybody(fact: bool) -> bool:  # noqa: FBT001 - it is the only argument
    """Return whether it is so on any process."""
    if count() == 1:
        return fact
    facts = torch.tensor(int(fact))
    distributed.all_reduce(facts, distributed.ReduceOp.MAX)
    return bool(facts)
