"""The loop with real vLLM on CPU: the same curve whatever stops it, and no fault that becomes a reward."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from scripted_server import serving
from tiny_run import Letters, curve, trained, write_run

from trainer_client.training.checkpoint import Checkpoints
from trainer_client.training.train import StoppedError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def server():
    with serving(script=Letters()) as running:
        yield running


@pytest.fixture(scope="module")
def path(folder, server):
    return write_run(folder, server.address)


@pytest.fixture(scope="module")
def undisturbed(path):
    """The curve of a run that nothing stops."""
    return trained(path, "output.directory=undisturbed")


class Program:
    """`trainer-client train` as a process of its own."""

    def __init__(self, path, *changes):
        command = [sys.executable, "-m", "trainer_client", "train", str(path)]
        for change in changes:
            command += ["--set", change]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def wait_for_step(self, directory, step):
        checkpoints = Checkpoints(directory / "checkpoints", keep=9)
        while not any(each.step >= step for each in checkpoints.all()):
            assert self.process.poll() is None, self.process.stderr.read()
            time.sleep(0.02)

    def end(self, number):
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(number)
        said = self.process.communicate(timeout=60)[1]
        _, alive = psutil.wait_procs(family, timeout=10)
        assert not alive
        return self.process.returncode, said


def test_a_run_learns_and_reports(undisturbed, folder):
    """Each step and each evaluation is written once, the baseline before the first update; a model is left behind."""
    metrics, evaluations = undisturbed
    assert [row["step"] for row in metrics] == [1, 2, 3, 4]
    assert [row[:2] for row in evaluations] == [(0, "held_out"), (2, "held_out"), (4, "held_out")]
    assert all(row["update/grad_norm"] > 0 and row["masked/share"] == 0 for row in metrics)
    assert all(row["update/rollout_gap_max"] < 1e-3 for row in metrics)
    assert (folder / "undisturbed" / "model" / "model.safetensors").exists()


def test_stopped_and_killed_and_resumed(undisturbed, path, folder):
    """Ctrl-C ends a run after a step and leaves no process; a killed run goes on; the curve is the undisturbed one."""
    directory = folder / "disturbed"
    program = Program(path, "output.directory=disturbed")
    program.wait_for_step(directory, 1)
    status, said = program.end(signal.SIGINT)
    assert (status, "Stopping after this step" in said) == (130, True), said
    assert not {"Triton", "NUMA", "vllm"} & set(said.split()), said  # the libraries' own chatter
    program = Program(path, "output.directory=disturbed")
    program.wait_for_step(directory, 3)
    program.end(signal.SIGKILL)
    assert len(curve(directory)[0]) >= 3
    assert trained(path, "output.directory=disturbed") == undisturbed


def test_an_outage_is_waited_out(undisturbed, path):
    """A server that goes away in the middle of a group, again and again, changes nothing but the time."""
    with serving(script=Letters(after=20, refusals=12)) as server:
        other = write_run_beside(path, server.address)
        assert trained(other, "output.directory=outage") == undisturbed


def test_an_outage_can_be_left(path):
    """Ctrl-C ends a run that waits for the server and draws ahead, too: with a checkpoint, and no process left."""
    with serving(script=Letters()) as server:
        other = write_run_beside(path, server.address)
        changes = ["ahead=1", "steps=100000", "evaluation.every=0", "output.save_every=0", "output.directory=left"]
        program = Program(other, *changes)
        while len(curve(path.parent / "left")[0]) < 2:
            assert program.process.poll() is None, program.process.stderr.read()
            time.sleep(0.02)
    while "is away" not in program.process.stderr.readline():
        assert program.process.poll() is None
    program.process.send_signal(signal.SIGINT)
    try:
        program.process.wait(5)  # where the step that was learned from could end
    except subprocess.TimeoutExpired:
        assert program.end(signal.SIGINT)[0] == 130
    assert program.process.wait(5) == 130
    done = curve(path.parent / "left")[0][-1]["step"]
    assert Checkpoints(path.parent / "left" / "checkpoints", keep=9).newest().step == done


def test_an_outage_can_be_masked(path):
    """With on_outage = "mask" the samples of the outage have no reward, and are no zeros."""
    with serving(script=Letters(after=3, refusals=2)) as server:
        other = write_run_beside(path, server.address)
        changes = ["output.directory=masked", "rewards.on_outage=mask", "rewards.patience_seconds=0", "steps=1"]
        (row,), _ = trained(other, *changes)
    assert row["masked/share"] == row["masked/outage"] > 0
    assert row["reward/mean"] > 0.1


def test_drawing_ahead_resumes_too(path):
    """A run that draws ahead, stopped where it saves, goes on as if it had not been."""
    changes = ["ahead=1", "output.save_every=2"]
    whole = trained(path, *changes, "output.directory=ahead")
    trained(path, *changes, "output.directory=ahead-in-parts", "steps=2")
    assert trained(path, *changes, "output.directory=ahead-in-parts") == whole
    assert [row["step"] for row in whole[0]] == [1, 2, 3, 4]


def test_a_regression_is_rolled_back(path, folder):
    """A fall beyond the bound brings the best checkpoint's weights back, so often as allowed; then the run stops."""
    with serving(script=Letters(falls_after=3 + 4)) as server:  # the baseline's groups, and one step's
        other = write_run_beside(path, server.address)
        changes = ["output.directory=back", "evaluation.every=1", "evaluation.on_regression=rollback"]
        with pytest.raises(StoppedError, match="after 1 roll-backs"):
            trained(other, *changes, "evaluation.max_rollbacks=1", "replace_without_spread=0")
    checkpoints = Checkpoints(folder / "back" / "checkpoints", keep=9)
    best, rolled_back = ((checkpoints.at(step).learner / "__0_0.distcp").read_bytes() for step in (0, 1))
    assert best == rolled_back
    assert [row["step"] for row in curve(folder / "back")[0]] == [1, 2]


def write_run_beside(path, address):
    """Return the configuration of the same run with another server."""
    beside = path.with_name("other.toml")
    text = path.read_text("utf-8")
    old = next(line for line in text.splitlines() if line.startswith("address"))
    beside.write_text(text.replace(old, f'address = "{address}"'), "utf-8")
    return beside
