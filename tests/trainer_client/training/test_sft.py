"""The warm start by command: whatever stops it, the model is that of a warm start in peace."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainer_client.training.checkpoint import Checkpoints
from trainer_client.training.config import load
from trainer_client.training.run_log import METRICS, read_lines
from trainer_client.training.screen import Screen
from trainer_client.training.sft import sft

ROOT = Path(__file__).parents[3]
STEPS = 30


@pytest.fixture
def path(tmp_path, tiny_model):
    lines = [
        {
            "task": {"mathAnswer": {"expected": str(i)}},
            "prompt": [{"role": "user", "content": f"{i}?"}],
            "samples": [{"response": f"it is {i}"}],
        }
        for i in range(20)
    ]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    text = f'[model]\nname = "{tiny_model}"\n[data]\ntasks = [{{path = "tasks.jsonl"}}]\n'
    text += f"[sft]\nepochs = {STEPS // 5}\nsamples_per_step = 4\nlearning_rate = 1e-3\n"
    text += "[output]\ntrackers = []\nsave_every = 1\n"
    path = tmp_path / "train.toml"
    path.write_text(text, "utf-8")
    return path


def disturbed(path, after, number):
    """Run the program, send it a signal when it has a checkpoint of ``after`` updates, and return its exit status."""
    command = [sys.executable, "-m", "trainer_client", "sft", str(path), "--set", "output.directory=disturbed"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        checkpoints = Checkpoints(path.parent / "disturbed" / "sft" / "checkpoints", keep=9)
        while not any(each.step >= after for each in checkpoints.all()):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        process.send_signal(number)
        process.communicate(timeout=60)
    return process.returncode


def in_peace(path, *changes):
    with Screen(quiet=True) as screen:
        return sft(load(path, changes), screen)


def losses(folder):
    return [(row["step"], row["update/loss"]) for row in read_lines(folder.parent / METRICS)]


def test_stopped_and_killed_and_resumed(path):
    """Ctrl-C saves, a kill loses what was after the newest checkpoint, and the model at the end is the same."""
    whole = in_peace(path, "output.directory=peace")
    assert disturbed(path, 2, signal.SIGINT) == 130
    begun = Checkpoints(path.parent / "disturbed" / "sft" / "checkpoints", keep=9).newest().step
    assert 2 <= begun < STEPS
    assert disturbed(path, begun + 2, signal.SIGKILL) == -signal.SIGKILL
    resumed = in_peace(path, "output.directory=disturbed")
    assert losses(resumed) == losses(whole)
    assert [step for step, _ in losses(whole)] == list(range(1, STEPS + 1))
    for file in ("model.safetensors", "config.json", "tokenizer.json"):
        assert (resumed / file).read_bytes() == (whole / file).read_bytes()


def test_what_is_done_is_done(path):
    """The command given again after the end learns nothing more."""
    once = losses(in_peace(path, "sft.epochs=2"))
    assert losses(in_peace(path, "sft.epochs=2")) == once
