"""How weights reach engines in other processes: by a file that both see, or over NCCL from GPU to GPU."""

import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from safetensors.torch import save_file

Weights = Iterable[tuple[str, torch.Tensor]]
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a private directory is made in it
_ANY_PORT = 9  # "discard": nothing is sent, only a route is looked up


@contextmanager
def weights_file(weights: Weights, directory: Path | None = None) -> Iterator[Path]:
    """Lay ``weights`` down as one file, in shared memory unless a ``directory`` is named, and remove it afterwards."""
    place = directory or (_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None)
    with tempfile.TemporaryDirectory(prefix="weights-", dir=place) as folder:
        path = Path(folder) / "weights.safetensors"
        save_file({name: tensor.detach().contiguous().cpu() for name, tensor in weights}, path)
        yield path


class FileTransfer:
    """Weights by a file in shared memory or on a shared disk: slower than NCCL, and works everywhere."""

    def __init__(self, directory: Path | None, post_all: Callable[..., None]) -> None:
        """``post_all`` calls a route of every server."""
        self._directory = directory
        self._post_all = post_all

    def send(self, weights: Weights) -> None:
        """Have every server read ``weights``."""
        with weights_file(weights, self._directory) as path:
            call = {"method": "receive_weights_file", "kwargs": {"path": str(path)}}
            self._post_all("/collective_rpc", json=call)

    def close(self) -> None:
        """Do nothing: no file is left."""


class NcclTransfer:
    """Weights by vLLM's own transfer over NCCL. The trainer's process is rank 0 of one group with each server."""

    def __init__(
        self, urls: Sequence[str], post_one: Callable[..., None], world_sizes: Callable[[], list[int]]
    ) -> None:
        """``post_one`` calls a route of the server at a position; ``world_sizes`` asks how many GPUs each has."""
        self._urls = urls
        self._post_one = post_one
        self._world_sizes = world_sizes
        self._source = _Source()
        self._engines: list[Any] = []

    def send(self, weights: Weights) -> None:
        """Broadcast ``weights`` to the servers, one after the other."""
        self._source.take(weights if len(self._urls) == 1 else list(weights))
        if not self._engines:
            self._engines = [self._engine(i, size) for i, size in enumerate(self._world_sizes())]
        for engine in self._engines:
            engine.send_weights()

    def close(self) -> None:
        """Leave the groups."""
        while self._engines:
            self._engines.pop().shutdown()

    def _engine(self, position: int, world_size: int) -> Any:
        from vllm.distributed.weight_transfer.factory import (  # noqa: PLC0415 - where there are GPUs only
            WeightTransferTrainerFactory,
        )
        from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerInitInfo  # noqa: PLC0415

        address = address_towards(self._urls[position])
        information = NCCLTrainerInitInfo(
            master_address=address, master_port=_free_port(address), world_size=1 + world_size, rank=0
        )
        client = _Routes(lambda path, **options: self._post_one(position, path, **options))
        return WeightTransferTrainerFactory.trainer_init(information, client=client, source=self._source)  # type: ignore[arg-type] # both by shape


class _Source:
    """The weights in the two forms in which vLLM's transfer reads them: first their shapes, then themselves.

    Shapes are those of the first round, so that later rounds need not hold all weights at once.
    """

    def __init__(self) -> None:
        self._weights: Weights = ()
        self._metadata: list[Any] = []

    def take(self, weights: Weights) -> None:
        """Be the source of ``weights``."""
        self._weights = weights

    def metadata(self) -> list[Any]:
        """Return name, type and shape of each."""
        if not self._metadata:
            from vllm.distributed.weight_transfer.base import ParamMeta  # noqa: PLC0415 - where there are GPUs only

            self._weights = list(self._weights)
            self._metadata = [ParamMeta(name, each.dtype, tuple(each.shape)) for name, each in self._weights]
        return self._metadata

    def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
        for name, tensor in self._weights:
            yield name, tensor.detach().contiguous()


class _Routes:
    """One server's routes as vLLM's transfer calls them."""

    def __init__(self, post: Callable[..., None]) -> None:
        self._post = post

    def init_weight_transfer_engine(self, init_info: dict[str, Any]) -> None:
        self._post("/init_weight_transfer_engine", json={"init_info": init_info})

    def start_weight_update(self) -> None:
        self._post("/start_weight_update")

    def update_weights(self, update_info: dict[str, Any]) -> None:
        self._post("/update_weights", json={"update_info": update_info})

    def finish_weight_update(self) -> None:
        self._post("/finish_weight_update")


def address_towards(url: str) -> str:
    """Return the address under which the server at ``url`` reaches this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((urlsplit(url).hostname, _ANY_PORT))
        return str(probe.getsockname()[0])


def _free_port(address: str) -> int:
    with socket.create_server((address, 0)) as found:
        return int(found.getsockname()[1])
