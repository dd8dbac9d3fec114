"""The separate engine: vLLM's own server on CPU in processes of its own, over a Unix socket and over TCP."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import pairwise

import psutil
import pytest
import tiny_engine
import torch
from peft import LoraConfig, get_peft_model
from tiny_engine import CONFIG, FLOAT32_ERROR, PROMPTS, SAMPLING, groups, largest_difference, shaken, weights

from trainer_client.training.engines import open_rollout
from trainer_client.training.rollout import RolloutError
from trainer_client.training.tiny_model import make_tokenizer
from trainer_client.training.vllm_process import serve_flags
from trainer_client.training.weight_transfer import address_towards

SERVER = replace(CONFIG, engine="server", start_seconds=500.0)
pytestmark = pytest.mark.timeout(600)  # three processes import vLLM: half a minute, and minutes on a busy machine


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_engine.tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def started(directory):
    """The engine with a server that was started for it, as under torchrun; it must take its processes with it."""
    ours = {"OMP_NUM_THREADS": "1", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    os.environ.update(ours)
    try:
        engine = open_rollout(str(directory), SERVER, adapter_rank=4)
    finally:
        for name in ours:
            del os.environ[name]
    family = psutil.Process(engine.process.pid).children(recursive=True)
    assert family
    yield engine
    engine.close()
    engine.close()
    assert not psutil.wait_procs(family, timeout=30)[1]


@pytest.fixture
def fresh(started, directory):
    """The engine with the weights of the files."""
    started.load_weights(weights(tiny_engine.trainer_model(directory)))
    return started


def test_groups_are_complete(fresh):
    """Token ids, log-probabilities and text fit each other; the same seed draws the same."""
    found = groups(fresh)
    assert sorted(found) == [0, 1, 2, 3]
    for group in found.values():
        assert len(group) == 3
        for each in group:
            assert 1 <= len(each.token_ids) == len(each.logprobs) <= 16
            assert make_tokenizer().decode(each.token_ids, skip_special_tokens=True).startswith(each.text)
    assert groups(fresh) == found
    assert groups(fresh, sampling=replace(SAMPLING, seed=6)) != found


def test_logprobs_are_the_trainers(fresh, directory):
    """Before and after an update, vLLM's log-probabilities are those of the trainer for the same tokens."""
    model = tiny_engine.trainer_model(directory)
    before = groups(fresh)
    assert largest_difference(model, before) < FLOAT32_ERROR
    fresh.load_weights(weights(shaken(model, 1)))
    after = groups(fresh)
    assert after != before
    assert largest_difference(model, after) < FLOAT32_ERROR


def test_stops_and_greedy(fresh):
    """Stop texts and temperature 0 hold over HTTP as in the process."""
    (first, *others) = groups(fresh, sampling=replace(SAMPLING, temperature=0.0))[0]
    assert others == [first] * 2
    text = next(letter for letter in first.text[2:] if letter.isascii() and letter.isprintable())
    (stopped, *_) = groups(fresh, sampling=replace(SAMPLING, temperature=0.0, stop=(text,)))[0]
    assert stopped.finish_reason == "stop"
    assert stopped.text == first.text[: first.text.index(text)]


def test_over_tcp(fresh):
    """Servers that run elsewhere are named by URL; prompts are dealt to them, and the draws are the same."""
    expected = groups(fresh)
    with forwarded(fresh.process.socket) as port:
        url = f"http://127.0.0.1:{port}"
        reached = open_rollout("", replace(SERVER, servers=(url, url)))
        try:
            assert groups(reached) == expected
        finally:
            reached.close()
    assert groups(fresh) == expected, "a server that was only reached goes on"


def test_leaving_early_aborts(fresh, directory):
    """What nobody waits for any more is aborted, and the next weights can be loaded."""
    drawn = fresh.generate(PROMPTS, 3, replace(SAMPLING, max_tokens=200))
    next(drawn)
    drawn.close()
    fresh.load_weights(weights(tiny_engine.trainer_model(directory)))
    assert len(groups(fresh)) == 4


def test_refusals_are_told(fresh):
    """A prompt past the model's length raises with the server's reason."""
    with pytest.raises(RolloutError, match="256"):
        groups(fresh, prompts=[PROMPTS[0] * 100])


def test_adapters_are_swapped(fresh, directory, tmp_path):
    """Under one adapter after another, of one path, log-probabilities are the trainer's."""
    model = get_peft_model(
        tiny_engine.trainer_model(directory), LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"])
    )
    seen = []
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_" in name:
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
        model.save_pretrained(tmp_path)
        fresh.load_adapter(tmp_path)
        seen.append(groups(fresh))
        assert largest_difference(model, seen[-1]) < FLOAT32_ERROR
    assert seen[0] != seen[1] != seen[2]


def test_a_server_that_cannot_start_is_told(tmp_path):
    """The error has the end of the server's log."""
    with pytest.raises(RolloutError, match="nowhere"):
        open_rollout(str(tmp_path / "nowhere"), SERVER)


def test_a_server_ends_with_its_trainer():
    """When the trainer is killed, nobody is left to hold a GPU: the end of a pipe ends the server."""
    server = "import trainer_client.training.vllm_process as p; print('up', flush=True); p._end_with_parent()"
    trainer = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {server!r}], stdin=subprocess.PIPE, start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(1000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", trainer], stdout=subprocess.PIPE, text=True) as process:
        child = psutil.Process(int(process.stdout.readline()))
        assert process.stdout.readline() == "up\n"
        os.kill(process.pid, signal.SIGKILL)
    child.wait(30)
    assert not child.is_running()


def test_flags_of_a_server_with_gpus(directory):
    """On GPUs weights come over NCCL, and copies of the model are as many as were asked for."""
    flags = serve_flags(str(directory), replace(SERVER, data_parallel=2, tensor_parallel=4), on_cpu=False)
    told = dict(pairwise(flags))
    assert told["--weight-transfer-config"] == '{"backend": "nccl"}'
    assert (told["--data-parallel-size"], told["--tensor-parallel-size"]) == ("2", "4")
    assert "--weight-transfer-config" not in serve_flags(str(directory), replace(SERVER, transfer="file"), on_cpu=False)


def test_the_way_back_to_the_trainer():
    """A server finds the trainer at the address by which the trainer reaches it."""
    assert address_towards("http://127.0.0.1:8000") == "127.0.0.1"
    assert address_towards("http://localhost") == "127.0.0.1"


class forwarded:  # noqa: N801 - reads as a verb
    """A TCP port of this machine that leads to a Unix socket."""

    def __init__(self, socket):
        self.socket, self.loop, self.port = socket, asyncio.new_event_loop(), None
        self.thread = threading.Thread(target=self.loop.run_forever)

    def __enter__(self):
        self.thread.start()
        return asyncio.run_coroutine_threadsafe(self.listen(), self.loop).result()

    def __exit__(self, *error):
        asyncio.run_coroutine_threadsafe(self.end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def listen(self):
        self.server = await asyncio.start_server(self.forward, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def end(self):
        self.server.close()
        for each in asyncio.all_tasks() - {asyncio.current_task()}:
            each.cancel()
        await asyncio.sleep(0)

    async def forward(self, reader, writer):
        other_reader, other_writer = await asyncio.open_unix_connection(self.socket)
        await asyncio.gather(self.pump(reader, other_writer), self.pump(other_reader, writer))

    async def pump(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
