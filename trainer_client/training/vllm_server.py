"""vLLM in processes of its own, reached over HTTP: on this machine or on others, with the trainer's GPUs left to it.

Token ids go in, token ids and log-probabilities come out, by vLLM's own route for that. Prompts are dealt to the
servers in turn, and weights go to all of them.
"""

import asyncio
import queue
import threading
from collections.abc import Coroutine, Generator, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import httpx
import torch

from trainer_client.training import ranks
from trainer_client.training.rollout import Completion, RolloutConfig, RolloutError, SamplingParameters
from trainer_client.training.vllm_arguments import MODEL, sampling_arguments, uses_nccl, whole
from trainer_client.training.vllm_process import VllmProcess
from trainer_client.training.weight_transfer import FileTransfer, NcclTransfer

_CONNECT_SECONDS = 30.0
_REQUESTS_IN_FLIGHT = 128
"""Groups at one server at once; each is a connection."""
T = TypeVar("T")


class ServerRollout:
    """A `Rollout` by vLLM servers. Its HTTP lives in a thread, so that no call waits for another."""

    def __init__(
        self, transports: Sequence[tuple[str, httpx.AsyncBaseTransport | None]], config: RolloutConfig, *, on_cpu: bool
    ) -> None:
        """Reach servers that are ready: pairs of a base URL and how to connect, None for TCP."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vllm-client", daemon=True)
        self._thread.start()
        self._clients = [
            httpx.AsyncClient(
                base_url=url,
                transport=transport,
                timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=None),
                trust_env=False,  # a proxy for the web is none for these
            )
            for url, transport in transports
        ]
        self._slots = [asyncio.Semaphore(_REQUESTS_IN_FLIGHT) for _ in self._clients]
        self._transfer: FileTransfer | NcclTransfer = (
            NcclTransfer([url for url, _ in transports], self._post_one, self._world_sizes)
            if uses_nccl(config, on_cpu=on_cpu)
            else FileTransfer(config.transfer_directory, self._post_all)
        )
        self._adapters = 0
        self._adapter: str | None = None
        self.process: VllmProcess | None = None

    def generate(
        self, prompts: Sequence[Sequence[int]], group_size: int, sampling: SamplingParameters
    ) -> Generator[tuple[int, tuple[Completion, ...]], None, None]:
        """Yield each group as it finishes; see `Rollout`."""
        done: queue.SimpleQueue[Future[tuple[int, tuple[Completion, ...]]]] = queue.SimpleQueue()
        asked = set()
        for position, prompt in enumerate(prompts):
            asking = self._start(self._group(position, list(prompt), group_size, sampling))
            asked.add(asking)
            asking.add_done_callback(done.put)
        try:
            while asked:
                ready = done.get()
                asked.remove(ready)
                yield ready.result()
        finally:
            for asking in asked:
                asking.cancel()  # the connection closes, and the server aborts

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Send ``weights`` to every server; see `Rollout`. Of several trainer processes the first sends."""
        if ranks.rank() == 0:
            self._post_all("/pause", params={"mode": "abort"})  # what nobody waits for any more, and the cache, go
            self._transfer.send(weights)
            self._post_all("/reset_prefix_cache")
            self._post_all("/resume")
        else:
            for _ in weights:  # gathering them is the work of all processes
                pass
        ranks.barrier()

    def load_adapter(self, path: Path) -> None:
        """Generate with the adapter at ``path`` from now on; see `Rollout`. The servers read it from there."""
        name, old = f"{MODEL}-{self._adapters}", self._adapter
        self._adapters += 1
        if ranks.rank() == 0:
            self._post_all("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path.absolute())})
            if old is not None:
                self._post_all("/v1/unload_lora_adapter", json={"lora_name": old})
        ranks.barrier()
        self._adapter = name

    def sleep(self) -> None:
        """Do nothing: the servers have GPUs of their own, and nobody waits for them."""

    def wake(self) -> None:
        """Do nothing, as `sleep`."""

    def close(self) -> None:
        """Close the connections, and end the server that was started for this run. Twice is once."""
        if self._loop.is_closed():
            return
        try:
            self._transfer.close()
            self._start(self._end()).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        finally:
            if self.process is not None:
                self.process.close()

    def _start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _end(self) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for client in self._clients:
            await client.aclose()

    async def _group(
        self, position: int, prompt: list[int], group_size: int, sampling: SamplingParameters
    ) -> tuple[int, tuple[Completion, ...]]:
        turn = position % len(self._clients)
        body = {
            "model": self._adapter or MODEL,
            "token_ids": prompt,
            "sampling_params": sampling_arguments(sampling, position, group_size),
            "output_mode": "text",
        }
        async with self._slots[turn]:
            answer = (await _post(self._clients[turn], "/inference/v1/generate", json=body)).json()
        choices = sorted(answer["choices"], key=lambda choice: choice["index"])
        return position, whole(tuple(_completion(choice) for choice in choices), group_size)

    def _post_all(self, path: str, **options: Any) -> None:
        async def post() -> None:
            await asyncio.gather(*(_post(client, path, **options) for client in self._clients))

        self._start(post()).result()

    def _post_one(self, position: int, path: str, **options: Any) -> None:
        self._start(_post(self._clients[position], path, **options)).result()

    def _world_sizes(self) -> list[int]:
        async def ask() -> list[int]:
            answers = [await client.get("/get_world_size") for client in self._clients]
            return [int(answer.raise_for_status().json()["world_size"]) for answer in answers]

        return self._start(ask()).result()


def open_server(model: str, config: RolloutConfig, *, adapter_rank: int = 0) -> ServerRollout:
    """Reach the servers that ``config`` names, or start one. Raises `RolloutError`."""
    on_cpu = not torch.cuda.is_available()
    if config.servers:
        return ServerRollout([(url, None) for url in config.servers], config, on_cpu=on_cpu)
    process = VllmProcess(model, config, adapter_rank=adapter_rank, on_cpu=on_cpu) if ranks.rank() == 0 else None
    (socket, *_) = ranks.gather(str(process.socket) if process is not None else "")
    rollout = ServerRollout([("http://localhost", httpx.AsyncHTTPTransport(uds=socket))], config, on_cpu=on_cpu)
    rollout.process = process
    return rollout


async def _post(client: httpx.AsyncClient, path: str, **options: Any) -> httpx.Response:
    try:
        answer = await client.post(path, **options)
    except httpx.HTTPError as error:
        raise RolloutError(f"the vLLM server at {client.base_url} does not answer {path}: {error!r}") from error
    if answer.is_error:
        raise RolloutError(f"the vLLM server at {client.base_url} refuses {path}: {answer.status_code} {answer.text}")
    return answer


def _completion(choice: dict[str, Any]) -> Completion:
    if choice["finish_reason"] not in {"stop", "length"}:
        raise RolloutError(f"vLLM ended a completion with {choice['finish_reason']!r}")
    return Completion(
        token_ids=tuple(choice["token_ids"]),
        logprobs=tuple(entry["logprob"] for entry in choice["logprobs"]["content"]),
        text=choice["text"],
        finish_reason=choice["finish_reason"],
    )
