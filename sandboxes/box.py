"""A box, seen from the host: a supervisor reached over a byte stream, and how such a stream is had.

The guests' source travels over the stream when a box starts, so that an image needs no code of ours.
"""

import asyncio
import io
import itertools
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from sandboxes.base import Ending, Execution, IsolationLayer, Job, Limits, Usage
from sandboxes.errors import BoxDiedError

MAX_FRAME_BYTES = 64 << 20
BOX_DIRECTORY = "/run/box"
BOOTSTRAP = f"""\
import io, os, sys, zipfile
def take(count):
    data = b""
    while len(data) < count:
        chunk = os.read(0, count - len(data))
        if not chunk: os._exit(0)
        data += chunk
    return data
zipfile.ZipFile(io.BytesIO(take(int.from_bytes(take(4), "big")))).extractall({BOX_DIRECTORY!r})
sys.path.append({BOX_DIRECTORY!r})
from guests import supervisor
supervisor.main()
"""
"""What a box's interpreter runs first: `python3 -I -S -c BOOTSTRAP`."""
_CANCEL_SECONDS = 2.0
_GRACE_SECONDS = 15.0


class BoxProcess(Protocol):
    """A started box: its stream, and its life."""

    reader: asyncio.StreamReader

    async def write(self, data: bytes) -> None:
        """Send ``data`` to the box's standard input. Raises OSError when the box has gone."""

    async def kill(self) -> None:
        """End the box and everything in it; idempotent."""

    async def diagnosis(self) -> str:
        """Say why the box died, as far as can be known; asked once it has."""


class Launcher(Protocol):
    """Starts boxes of one kind. Raises `SandboxError` in all its methods."""

    async def prepare(self) -> None:
        """Check the host, find the image; called once."""

    async def launch(self) -> tuple[BoxProcess, Mapping[str, Any]]:
        """Start a box; return it with what its supervisor is told: library, first_uid, read."""

    async def close(self) -> None:
        """Remove whatever is left of any box; idempotent."""


@cache
def guests_archive() -> bytes:
    """Return the guests as a frame: four bytes of length and a zip."""
    directory = Path(__file__).with_name("guests")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(directory.rglob("*.py")):
            archive.writestr(f"guests/{path.relative_to(directory)}", path.read_bytes())
    return len(buffer.getvalue()).to_bytes(4, "big") + buffer.getvalue()


class Box:
    """One started box: one job at a time."""

    def __init__(self, process: BoxProcess) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self.layers: tuple[IsolationLayer, ...] = ()
        self.jobs = 0
        self.retire: str | None = None
        """Why the box should be replaced; None while it is fine."""

    @property
    def gone(self) -> bool:
        """Whether the box has hung up while it was idle."""
        return self._process.reader.at_eof()

    async def start(self, configuration: Mapping[str, Any]) -> None:
        """Ship the guests and have the supervisor probe its isolation. Raises `BoxDiedError`."""
        try:
            await self._process.write(guests_archive())
            await self._send({"configure": dict(configuration)})
            ready = (await self._receive())["ready"]
        except (OSError, asyncio.IncompleteReadError) as error:
            raise await self._died(error) from error
        self.layers = tuple(IsolationLayer(**layer) for layer in ready["layers"])

    async def run(self, job: Job) -> Execution:
        """Run ``job``. Cancelling kills what it started. Raises `BoxDiedError`, after which the box is of no use."""
        (execution,) = await self._serve(job.program, job.limits, payload=job.payload)
        return execution

    async def run_together(self, jobs: Sequence[Job]) -> list[Execution]:
        """Return the executions of the first of ``jobs``, as many as could share one run without any trouble.

        Cancelling and raising as `run`.
        """
        return await self._serve(jobs[0].program, jobs[0].limits, payloads=[job.payload for job in jobs])

    async def _serve(self, program: str, limits: Limits, **payload: Any) -> list[Execution]:
        number = next(self._numbers)
        self.jobs += 1
        request = {"job": number, "program": program, "limits": asdict(limits), **payload}
        try:
            async with asyncio.timeout(limits.total_seconds + _GRACE_SECONDS):
                await self._send(request)
                answer = await self._receive()
        except asyncio.CancelledError:
            await self._cancel(number)
            raise
        except TimeoutError as error:
            self.retire = "it did not answer in time"
            raise BoxDiedError(f"the box did not answer within {limits.total_seconds:g} s") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            self.retire = "it died"
            raise await self._died(error) from error
        self.retire = answer.get("retire")
        return [_execution(each) for each in answer["executions"]]

    async def close(self) -> None:
        """End the box."""
        await self._process.kill()

    async def _cancel(self, number: int) -> None:
        """Have the supervisor kill the run; a box that does not confirm soon must go."""
        self.retire = "a cancelled job was not confirmed"
        try:
            async with asyncio.timeout(_CANCEL_SECONDS):
                await self._send({"cancel": number})
                answer = await self._receive()
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            return
        self.retire = answer.get("retire")

    async def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps(message, allow_nan=False, separators=(",", ":")).encode("ascii")
        await self._process.write(len(body).to_bytes(4, "big") + body)

    async def _receive(self) -> dict[str, Any]:
        length = int.from_bytes(await self._process.reader.readexactly(4), "big")
        if length > MAX_FRAME_BYTES:
            raise OSError(f"a frame of {length} bytes")
        message: dict[str, Any] = json.loads(await self._process.reader.readexactly(length))
        return message

    async def _died(self, error: Exception) -> BoxDiedError:
        return BoxDiedError(f"the box died: {await self._process.diagnosis() or error}")


def _execution(answer: dict[str, Any]) -> Execution:
    return Execution(
        ending=Ending(answer["ending"]),
        report=answer["report"],
        exit_status=answer["exit_status"],
        stderr=answer["stderr"],
        flags=tuple((name, detail) for name, detail in answer["flags"]),
        pressed=answer["pressed"],
        unexplained=answer["unexplained"],
        disturbed=answer["disturbed"],
        usage=Usage(**answer["usage"]),
    )
