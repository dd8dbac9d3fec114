"""What tests of the trainer share: a model that is made on the spot, and nothing from any hub."""

import os
from pathlib import Path

import pytest
import torch
from transformers.utils import logging

from trainer_client.training.tiny_model import make_tiny_model

os.environ["HF_HUB_OFFLINE"] = "1"
logging.disable_progress_bar()
torch.set_num_threads(1)  # tensors are tiny, and threads that wait for each other spin


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Qwen2 with two small layers and random weights."""
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")
