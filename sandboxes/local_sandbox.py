"""The embedded sandbox: boxes made of Linux namespaces, without a daemon. The same supervisor, guests and promises."""

import asyncio
import json
import os
import shutil
import site
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sandboxes.base import AssuranceLevel, IsolationLayer, SandboxInfo
from sandboxes.box import BOOTSTRAP, BOX_DIRECTORY, BoxProcess
from sandboxes.box_pool import BoxPool
from sandboxes.errors import SandboxUnsupportedError

_ENTER = "import sys; sys.path.append(sys.argv[1]); from guests import namespace_box; namespace_box.start(sys.argv[2])"
_SYSTEM_READ = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc")
_REFUSED = 75
"""The exit status by which `guests/namespace_box.py` says that the host refused."""
_REMEDY = (
    "Allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces=10000, "
    "kernel.apparmor_restrict_unprivileged_userns=0), run as root, or use Docker."
)
_PLACE = "/opt/box"
"""Where a box sees the interpreter and its libraries, wherever they are on the host."""
_HIDDEN = ("/tmp/", "/dev/", "/proc/", "/run/", "/examiner/")  # noqa: S108 - what boxes have of their own
_STREAM_BYTES = 1 << 20
_STDERR_BYTES = 1 << 14
_PATIENCE_SECONDS = 2.0


class LocalSandbox(BoxPool):
    """Boxes in namespaces of this host."""

    def __init__(
        self,
        *,
        boxes: int = 2,
        warm: Sequence[str] = (),
        jobs_per_box: int = 10_000,
        seconds_per_box: float = 1800.0,
        without: Sequence[str] = (),
    ) -> None:
        """See `BoxPool`."""
        super().__init__(
            LocalLauncher(),
            boxes=boxes,
            warm=warm,
            jobs_per_box=jobs_per_box,
            seconds_per_box=seconds_per_box,
            without=without,
        )
        self._without = without

    def describe(self, layers: tuple[IsolationLayer, ...]) -> SandboxInfo:
        """Return what the probed ``layers`` make of this host."""
        level = AssuranceLevel.LOW if self._without else AssuranceLevel.NAMESPACE
        return SandboxInfo(runtime="local", assurance_level=level, layers=layers)


class LocalLauncher:
    """Starts boxes as child processes in namespaces of their own."""

    def __init__(self) -> None:
        self._root = ""
        self._interpreter = os.path.realpath(sys.executable)
        prefix = os.path.realpath(sys.base_prefix)
        libraries = [os.path.realpath(path) for path in site.getsitepackages()]
        # At places of their own: a run's directory would hide what lies below /tmp.
        self._shown = {path: f"{_PLACE}/library{i}" for i, path in enumerate(libraries)}
        self._libraries = list(self._shown.values())
        if not prefix.startswith("/usr"):  # an interpreter may know its own path, so it keeps it where it can
            self._shown[prefix] = f"{_PLACE}/python" if prefix.startswith(_HIDDEN) else prefix

    async def prepare(self) -> None:
        """Refuse hosts that are no Linux. Everything else is found out by trying."""
        if sys.platform != "linux":
            raise SandboxUnsupportedError(f"the embedded sandbox needs Linux, this is {sys.platform}; use Docker")
        self._root = self._root or tempfile.mkdtemp(prefix="reward-box-")

    async def launch(self) -> tuple[BoxProcess, Mapping[str, Any]]:
        """Start a box. Raises `SandboxUnsupportedError` when this host refuses namespaces."""
        command = [self._inside(self._interpreter), "-I", "-S", "-c", BOOTSTRAP]
        settings = json.dumps({"root": self._root, "shown": self._shown, "command": command})
        process = await asyncio.create_subprocess_exec(
            *(self._interpreter, "-I", "-S", "-c", _ENTER, str(Path(__file__).parent), settings),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_STREAM_BYTES,
            env={"LANG": "C.UTF-8"},
            start_new_session=True,  # an interrupt at the terminal is the server's to handle
        )
        return LocalBoxProcess(process), {
            "library": [BOX_DIRECTORY, *self._libraries],
            "first_uid": None,
            "read": [*_SYSTEM_READ, *self._shown.values()],
        }

    def _inside(self, path: str) -> str:
        """Return where the host's ``path`` lies in a box."""
        for shown, place in self._shown.items():
            if path.startswith(f"{shown}/"):
                return place + path.removeprefix(shown)
        return path

    async def close(self) -> None:
        """Remove the mount point."""
        if self._root:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = ""


class LocalBoxProcess:
    """A started box: the doorway process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 - asked for as pipes
        self._process = process
        self._stdin = process.stdin
        self.reader = process.stdout
        self._errors = b""
        self._listening = asyncio.create_task(self._listen(process.stderr))

    async def write(self, data: bytes) -> None:
        """Send ``data`` to the box's standard input."""
        self._stdin.write(data)
        await self._stdin.drain()

    async def kill(self) -> None:
        """End the box, and return when nothing of it is left.

        It ends when its input closes, and the kernel ends its first process only after all others. If it is too stuck
        for that, it dies with its doorway, soon after this returns.
        """
        self._stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._listening

    async def diagnosis(self) -> str:
        """Say what the box wrote to standard error and how it ended. Raises `SandboxUnsupportedError`."""
        await self._process.wait()
        await self._listening
        if self._process.returncode == _REFUSED:
            raise SandboxUnsupportedError(f"{self._errors.decode('utf-8', 'replace').strip()}. {_REMEDY}")
        return f"{self._errors.decode('utf-8', 'replace').strip()} (exit status {self._process.returncode})"

    async def _listen(self, errors: asyncio.StreamReader) -> None:
        while chunk := await errors.read(_STDERR_BYTES):
            self._errors = (self._errors + chunk)[-_STDERR_BYTES:]
