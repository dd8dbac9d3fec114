"""What a run needs to go on from the same step: trained weights and the optimizer's state, on disk.

The files are those of `torch.distributed.checkpoint`: every process writes its shards, and any number of processes
reads them back. Weights that are not trained, a reference too, come from where the model came from.
"""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

_TRAINED = StateDictOptions(ignore_frozen_params=True)
_SOME = StateDictOptions(strict=False)


def save_state(directory: Path, module: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    """Write to ``directory``. Every process calls."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled")  # one process is meant to be one
        save(_state(module, optimizer, steps), checkpoint_id=str(directory))


def load_state(directory: Path, module: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Set ``module`` and ``optimizer`` to what ``directory`` holds; return the number of steps. Every process calls."""
    state = _state(module, optimizer, 0)
    _read(state, directory)
    set_model_state_dict(module, state["model"], options=_SOME)
    set_optimizer_state_dict(module, optimizer, state["optimizer"], options=_TRAINED)
    steps: int = state["steps"]
    return steps


def load_weights(directory: Path, module: nn.Module) -> None:
    """Set the trained weights of ``module`` to what ``directory`` holds, in whatever dtype they are kept in."""
    state = {"model": get_model_state_dict(module, options=_TRAINED)}
    _read(state, directory)
    set_model_state_dict(module, state["model"], options=_SOME)


def _read(state: dict[str, Any], directory: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.distributed is disabled")
        load(state, checkpoint_id=str(directory))


def _state(module: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> dict[str, Any]:
    return {
        "model": get_model_state_dict(module, options=_TRAINED),
        "optimizer": get_optimizer_state_dict(module, optimizer, options=_TRAINED),
        "steps": steps,
    }
