"""The Docker sandbox: boxes are hardened containers, driven over their standard streams. Only here is the SDK used."""

import asyncio
import itertools
import json
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Ulimit

import docker
from sandboxes.base import MIB, AssuranceLevel, IsolationLayer, SandboxInfo
from sandboxes.box import BOOTSTRAP, BOX_DIRECTORY, BoxProcess
from sandboxes.box_pool import BoxPool
from sandboxes.errors import SandboxUnavailableError, SandboxUnsupportedError

_SDK_ERRORS = (DockerException, requests.RequestException, OSError)
LABEL = "reward-server.box"
"""On every container; its value is the name of the sandbox that it belongs to."""
_LIBRARY = "/opt/sandbox/lib"
_READ = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/opt")
_OVERHEAD_BYTES = 768 * MIB
"""What the supervisor and its warm interpreters may take beside the runs."""
_PROCESSES = 1024
_SECONDS = 30
_STDERR_BYTES = 1 << 14
_UIDS_PER_BOX = 1 << 16
_PLAIN = ("http+docker://localhost", "http://")
"""How the SDK names connections whose attached streams are plain sockets: no TLS, no SSH."""
_VIRTUALIZED = ("runsc", "kata")


class DockerSandbox(BoxPool):
    """Boxes in containers of the local Docker daemon."""

    def __init__(
        self,
        *,
        image: str = "reward-sandbox:latest",
        runtime: str = "",
        boxes: int = 2,
        warm: Sequence[str] = (),
        jobs_per_box: int = 10_000,
        seconds_per_box: float = 1800.0,
        without: Sequence[str] = (),
        memory_bytes: int = 1024 * MIB,
        file_bytes: int = 64 * MIB,
    ) -> None:
        """``memory_bytes`` and ``file_bytes``: the most a run may ask for. See `BoxPool` for the rest."""
        self.name = secrets.token_hex(4)
        self._docker = DockerLauncher(
            name=self.name, image=image, runtime=runtime, memory_bytes=memory_bytes, file_bytes=file_bytes
        )
        super().__init__(
            self._docker,
            boxes=boxes,
            warm=warm,
            jobs_per_box=jobs_per_box,
            seconds_per_box=seconds_per_box,
            without=without,
        )
        self._runtime = runtime
        self._without = without

    async def check(self) -> None:
        """See whether the daemon answers and has the image. Raises `SandboxError`."""
        await self._docker.prepare()

    def describe(self, layers: tuple[IsolationLayer, ...]) -> SandboxInfo:
        """Return what the probed ``layers`` make of these containers."""
        level = AssuranceLevel.CONTAINER
        if self._runtime.startswith(_VIRTUALIZED):
            level = AssuranceLevel.VIRTUALIZED
        return SandboxInfo(
            runtime=f"docker+{self._runtime}" if self._runtime else "docker",
            image_digest=self._docker.image_digest,
            assurance_level=AssuranceLevel.LOW if self._without else level,
            layers=layers,
        )


class DockerLauncher:
    """Starts containers. They end by themselves when their standard input closes, so a killed server leaves none."""

    def __init__(self, *, name: str, image: str, runtime: str, memory_bytes: int, file_bytes: int) -> None:
        self._image = image
        self._runtime = runtime
        self._memory_bytes = memory_bytes
        self._file_bytes = file_bytes
        self._client: docker.DockerClient | None = None
        self._name = name
        self._numbers = itertools.count(1)
        # Runs of different boxes, and of other servers on this daemon, must not share a uid: the kernel counts by it.
        self._uid_base = (1 << 24) + secrets.randbelow(1 << 14) * _UIDS_PER_BOX
        self._seccomp = Path(__file__).with_name("seccomp.json").read_text("utf-8")
        self.image_digest = ""

    async def prepare(self) -> None:
        """Reach the daemon and find the image. Raises `SandboxUnavailableError`, `SandboxUnsupportedError`."""
        try:
            image = await asyncio.to_thread(self._find_image)
        except ImageNotFound as error:
            raise SandboxUnavailableError(f"there is no image {self._image}; build it with `make images`") from error
        except _SDK_ERRORS as error:
            raise SandboxUnavailableError(f"no Docker daemon answers: {error}") from error
        self.image_digest = image

    def _find_image(self) -> str:
        client = self._connected()
        try:
            if not client.api.base_url.startswith(_PLAIN):
                raise SandboxUnsupportedError(f"{client.api.base_url} has no plain socket; use unix:// or tcp://")
            known = client.info().get("Runtimes", {})
            if self._runtime and self._runtime not in known:
                raise SandboxUnsupportedError(f"the daemon has no runtime {self._runtime}; it has {', '.join(known)}")
            return str(client.images.get(self._image).id)
        except BaseException:
            self._disconnect()
            raise

    async def launch(self) -> tuple[BoxProcess, Mapping[str, Any]]:
        """Start a container. Raises `SandboxUnavailableError`."""
        number = next(self._numbers)
        starting = asyncio.ensure_future(asyncio.to_thread(self._start, number))
        try:
            container, stream = await asyncio.shield(starting)
        except _SDK_ERRORS as error:
            raise SandboxUnavailableError(f"a container cannot be started: {error}") from error
        except asyncio.CancelledError:
            await _undo(starting)  # a thread cannot be stopped, and its container must not stay
            raise
        process = await DockerBoxProcess.open(container, stream)
        return process, {
            "library": [BOX_DIRECTORY, _LIBRARY],
            "first_uid": self._uid_base + number % 4096 * _UIDS_PER_BOX,
            "read": list(_READ),
        }

    def _start(self, number: int) -> tuple[Any, socket.socket]:
        client = self._connected()
        size = self._file_bytes
        container = client.containers.create(
            self._image,
            ["python3", "-I", "-S", "-c", BOOTSTRAP],
            name=f"reward-box-{self._name}-{number}",
            labels={LABEL: self._name},
            runtime=self._runtime or None,
            stop_signal="SIGKILL",  # nothing in it is worth the wait when a daemon goes down
            stdin_open=True,
            auto_remove=True,
            network_mode="none",
            ipc_mode="none",
            cap_drop=["ALL"],
            cap_add=["SETUID", "SETGID", "KILL"],
            security_opt=["no-new-privileges:true", f"seccomp={self._seccomp}"],
            read_only=True,
            tmpfs={
                "/tmp": f"rw,nosuid,nodev,exec,size={size},nr_inodes=8192,mode=0777",  # noqa: S108 - the box's own
                "/dev/shm": f"rw,nosuid,nodev,noexec,size={size},nr_inodes=1024,mode=0777",  # noqa: S108 - as above
                "/examiner": f"rw,nosuid,nodev,noexec,size={size},nr_inodes=8192,mode=0770,gid=900",
                "/run": f"rw,nosuid,nodev,noexec,size={16 * MIB},mode=0700",
            },
            mem_limit=self._memory_bytes + _OVERHEAD_BYTES,
            memswap_limit=self._memory_bytes + _OVERHEAD_BYTES,
            pids_limit=_PROCESSES,
            ulimits=[Ulimit(name="core", soft=0, hard=0), Ulimit(name="nofile", soft=1024, hard=4096)],
            log_config=LogConfig(type="none"),
            environment={"LANG": "C.UTF-8"},
            hostname="box",
            user="0:0",
        )
        stream = _attach(container)
        try:
            container.start()
        except BaseException:
            stream.close()
            _remove(container)
            raise
        return container, stream

    async def close(self) -> None:
        """Remove what is left of this launcher's containers."""
        if self._client is None:
            return
        with suppress(*_SDK_ERRORS):
            await asyncio.to_thread(self._remove_all)
        self._disconnect()

    def _remove_all(self) -> None:
        filters: dict[str, str | list[str] | bool] = {"label": f"{LABEL}={self._name}"}
        for container in self._connected().containers.list(all=True, filters=filters, ignore_removed=True):
            _remove(container)

    def _connected(self) -> docker.DockerClient:
        if self._client is None:
            _knock()
            self._client = docker.from_env(timeout=_SECONDS)
        return self._client

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _knock() -> None:
    """Raise OSError when nobody listens on the daemon's unix socket: the SDK would forget the socket it tried with."""
    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(host.removeprefix("unix://"))


class DockerBoxProcess:
    """A container and its attached streams."""

    def __init__(self, container: Any, stream: socket.socket, writer: asyncio.StreamWriter) -> None:
        self._container = container
        self._stream = stream
        self._writer = writer
        self.reader = asyncio.StreamReader(limit=1 << 20)
        self._errors = b""
        self._demultiplexing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, container: Any, stream: socket.socket) -> "DockerBoxProcess":
        """Take over an attached socket."""
        stream.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=stream, limit=1 << 20)
        process = cls(container, stream, writer)
        process._demultiplexing = asyncio.create_task(process._demultiplex(reader))
        return process

    async def write(self, data: bytes) -> None:
        """Send ``data`` to the container's standard input."""
        self._writer.write(data)
        await self._writer.drain()

    async def kill(self) -> None:
        """Remove the container, whatever state it is in."""
        self._writer.close()
        with suppress(*_SDK_ERRORS):
            await asyncio.to_thread(_remove, self._container)
        if self._demultiplexing is not None:
            self._demultiplexing.cancel()
            await asyncio.gather(self._demultiplexing, return_exceptions=True)

    async def diagnosis(self) -> str:
        """Say how the container ended, as far as the daemon still knows."""
        said = self._errors.decode("utf-8", "replace").strip()
        try:
            state = await asyncio.to_thread(
                lambda: self._container.client.api.inspect_container(self._container.id)["State"]
            )
        except (*_SDK_ERRORS, KeyError):
            return said or "the container is gone"
        return f"{said} {json.dumps({key: state.get(key) for key in ('Status', 'ExitCode', 'OOMKilled')})}".strip()

    async def _demultiplex(self, raw: asyncio.StreamReader) -> None:
        """Sort the attached stream's frames: a byte for the stream, three of padding, four of length."""
        try:
            while True:
                header = await raw.readexactly(8)
                data = await raw.readexactly(int.from_bytes(header[4:], "big"))
                if header[0] == 1:
                    self.reader.feed_data(data)
                else:
                    self._errors = (self._errors + data)[-_STDERR_BYTES:]
        except (asyncio.IncompleteReadError, OSError):
            self.reader.feed_eof()


async def _undo(starting: asyncio.Future[tuple[Any, socket.socket]]) -> None:
    with suppress(*_SDK_ERRORS):
        container, stream = await starting
        stream.close()
        await asyncio.to_thread(_remove, container)


def _attach(container: Any) -> socket.socket:
    """Return the container's streams as a socket of our own; what the SDK keeps around it is closed."""
    attached = container.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    try:
        return socket.socket(fileno=os.dup(attached.fileno()))
    finally:
        # The SDK hands out a file over a socket and hides the response behind it: each keeps the connection open.
        attached._sock.close()  # noqa: SLF001 - as above
        attached._response.close()  # noqa: SLF001 - as above


def _remove(container: Any) -> None:
    """Remove a container; one that is being removed already, by the daemon itself, is waited for."""
    with suppress(NotFound):
        try:
            container.remove(force=True, v=True)
        except APIError as error:
            if error.status_code != HTTPStatus.CONFLICT:
                raise
            container.wait(condition="removed", timeout=_SECONDS)
