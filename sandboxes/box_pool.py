"""A sandbox made of warm boxes: one job each at a time, replaced when used up or suspect."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from sandboxes.base import Execution, IsolationLayer, Job, SandboxInfo
from sandboxes.box import Box, Launcher
from sandboxes.errors import BoxDiedError, SandboxError, SandboxUnavailableError, SandboxUnsupportedError

T = TypeVar("T")
_log = logging.getLogger(__name__)
REQUIRED_LAYERS = frozenset(
    {
        "descriptors",
        "environment",
        "file_size",
        "file_system",
        "identity",
        "memory",
        "network",
        "network_namespace",
        "no_new_privs",
        "process_view",
        "processes",
        "seccomp",
        "signals",
    }
)
"""Without any of these nothing untrusted is run. Landlock and seccomp's reports are welcome beside them."""
_LOSSES = 2
"""So many boxes may a job lose before it is given up."""
_ATTEMPTS = 4
"""So often a job is tried whose runs are killed or stopped from outside. A response that kills itself looks the same,
so that what happens in the end counts; but no response can kill a run in which none is."""
_BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0)


def _settled(execution: Execution, job: Job) -> Execution:
    """Return what counts after the last try. Raises `SandboxUnavailableError` when it was not the response's doing."""
    if execution.disturbed:
        raise SandboxUnavailableError(f"runs of {job.program} are killed or stopped from outside, time and again")
    return execution


class _Slot:
    """A place for one box, which may be empty for a while."""

    def __init__(self) -> None:
        self.box: Box | None = None
        self.born = 0.0
        self.successor: asyncio.Task[Box] | None = None
        """The next box, started while the old one still serves."""


class BoxPool:
    """Implements `Sandbox` over any `Launcher`."""

    def __init__(
        self,
        launcher: Launcher,
        *,
        boxes: int,
        warm: Sequence[str] = (),
        jobs_per_box: int = 10_000,
        seconds_per_box: float = 1800.0,
        without: Sequence[str] = (),
    ) -> None:
        """Keep ``boxes`` boxes; ``warm``: guests to load ahead; ``without``: layers to leave out, for measurements."""
        if boxes < 1:
            raise ValueError(f"boxes is {boxes}, not at least 1")
        self._launcher = launcher
        self._boxes = boxes
        self._options = {"warm": list(warm), "without": list(without)}
        self._jobs_per_box = jobs_per_box
        self._seconds_per_box = seconds_per_box
        self._free: asyncio.LifoQueue[_Slot] = asyncio.LifoQueue()
        self._slots: list[_Slot] = []
        self._renewals: set[asyncio.Task[None]] = set()
        self._succession = asyncio.Semaphore(1)
        """Boxes that grow old together are not all started at once: that would take the machine from their runs."""
        self._closed = True
        self._info = SandboxInfo(runtime="")

    @property
    def info(self) -> SandboxInfo:
        """What this sandbox is; valid once `start` has returned."""
        return self._info

    @property
    def concurrency(self) -> int:
        """How many jobs run at the same time."""
        return self._boxes

    def describe(self, layers: tuple[IsolationLayer, ...]) -> SandboxInfo:
        """Return what the probed ``layers`` make of this kind of box."""
        raise NotImplementedError

    async def start(self) -> None:
        """Start every box. Raises `SandboxUnsupportedError` when a required layer does not hold."""
        await self._launcher.prepare()
        self._closed = False
        self._free = asyncio.LifoQueue()
        self._slots = [_Slot() for _ in range(self._boxes)]
        try:
            await self._renew(self._slots[0])
            first = self._slots[0].box
            layers = first.layers if first else ()
            if not self._options["without"]:
                _require(layers)
            self._info = self.describe(layers)
            async with asyncio.TaskGroup() as group:
                for slot in self._slots[1:]:
                    group.create_task(self._renew(slot))
        except BaseExceptionGroup as errors:
            await self.close()
            raise errors.exceptions[0] from None
        except BaseException:
            await self.close()
            raise
        for slot in self._slots:
            self._free.put_nowait(slot)

    async def run(self, job: Job) -> Execution:
        """Run ``job`` in a free box; where that is lost, or a run killed from outside, it is tried again in another."""
        losses = 0
        for attempt in range(1, _ATTEMPTS + 1):
            slot = await self._take()
            try:
                execution = await self._in_box(slot, lambda box: box.run(job))
                if not execution.unexplained:
                    return execution
                if attempt == _ATTEMPTS:
                    return _settled(execution, job)
                _log.warning("a run of %s was killed or stopped from outside; it is tried again", job.program)
            except BoxDiedError as error:
                _log.warning("a box was lost while it ran %s: %s", job.program, error)
                losses += 1
                if losses == _LOSSES or attempt == _ATTEMPTS:
                    raise
            finally:
                self._give_back(slot)
        raise AssertionError("unreachable")

    async def run_together(self, jobs: Sequence[Job]) -> list[Execution | SandboxError]:
        """Run ``jobs`` in one run, as far as that goes well; each one that stops it, in one of its own."""
        results: list[Execution | SandboxError] = []
        while left := jobs[len(results) :]:
            try:
                results += await self._run_first(left) if len(left) > 1 else ()
                if len(results) < len(jobs):
                    results.append(await self.run(jobs[len(results)]))
            except BoxDiedError as error:
                results.append(error)
            except SandboxError as error:
                results += [error] * (len(jobs) - len(results))
        return results

    async def _run_first(self, jobs: Sequence[Job]) -> list[Execution]:
        slot = await self._take()
        try:
            return await self._in_box(slot, lambda box: box.run_together(jobs))
        except BoxDiedError as error:
            _log.warning("a box was lost while it ran %s: %s", jobs[0].program, error)
            return []
        finally:
            self._give_back(slot)

    async def close(self) -> None:
        """End every box; idempotent."""
        self._closed = True
        for task in tuple(self._renewals):
            task.cancel()
        await asyncio.gather(*self._renewals, return_exceptions=True)
        await asyncio.gather(*(self._end(slot) for slot in self._slots), return_exceptions=True)
        self._free.put_nowait(_Slot())  # wakes the first job that waits, which wakes the next
        await self._launcher.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _take(self) -> _Slot:
        self._require_open()
        slot = await self._free.get()
        try:
            self._require_open()
        except SandboxUnavailableError:
            self._free.put_nowait(slot)
            raise
        return slot

    def _require_open(self) -> None:
        if self._closed:
            raise SandboxUnavailableError("the sandbox is closed")

    async def _in_box(self, slot: _Slot, run: Callable[[Box], Awaitable[T]]) -> T:
        if slot.box is None or slot.box.gone:
            await self._discard(slot)
            await self._renew(slot)
        assert slot.box is not None  # noqa: S101 - `_renew` has set it or raised
        return await run(slot.box)

    def _give_back(self, slot: _Slot) -> None:
        """Put ``slot`` back, with a fresh box first where the old one is used up, lost or suspect."""
        self._adopt(slot)
        reason = self._worn(slot)
        if reason is not None and not self._closed:
            _log.info("a box is replaced: %s", reason)
            self._begin(self._replace(slot))
            return
        if slot.successor is None and self._grows_old(slot) and not self._closed:
            slot.successor = asyncio.create_task(self._succeed())
        self._free.put_nowait(slot)

    def _begin(self, renewal: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(renewal)
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)

    def _adopt(self, slot: _Slot) -> None:
        """Let the box that was started ahead take the place of the old one, once it is ready."""
        if slot.successor is None or not slot.successor.done():
            return
        successor, slot.successor = slot.successor, None
        if successor.cancelled() or successor.exception():
            _log.warning("no new box could be had, the old one serves on: %s", successor)
            return
        if slot.box is not None:
            self._begin(slot.box.close())
        slot.box, slot.born = successor.result(), time.monotonic()

    async def _succeed(self) -> Box:
        async with self._succession:
            return await self._launch()

    def _grows_old(self, slot: _Slot) -> bool:
        """Return whether it is time to start the box that comes after."""
        jobs = slot.box.jobs if slot.box else 0
        near = self._jobs_per_box - self._jobs_per_box // 20
        return jobs >= near or time.monotonic() - slot.born > self._seconds_per_box

    def _worn(self, slot: _Slot) -> str | None:
        if slot.box is None:
            return "it was lost"
        if slot.box.retire:
            return slot.box.retire
        return f"it ran {slot.box.jobs} jobs" if slot.box.jobs >= self._jobs_per_box else None

    async def _replace(self, slot: _Slot) -> None:
        try:
            await self._discard(slot)
            if slot.successor is not None:
                await asyncio.wait([slot.successor])
                self._adopt(slot)
            if slot.box is None:
                await self._renew(slot)
        except SandboxError as error:
            _log.warning("no new box could be had, the next job tries again: %s", error)
        finally:
            self._free.put_nowait(slot)

    async def _renew(self, slot: _Slot) -> None:
        """Give ``slot`` a started box; tries a few times. Raises `SandboxError`."""
        for pause in (*_BACKOFF_SECONDS, None):
            try:
                slot.box, slot.born = await self._launch(), time.monotonic()
            except SandboxUnsupportedError:
                raise
            except SandboxError:
                if pause is None or self._closed:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    async def _launch(self) -> Box:
        process, configuration = await self._launcher.launch()
        box = Box(process)
        try:
            await box.start({**configuration, **self._options})
            self._require_open()
        except BaseException:
            await box.close()
            raise
        return box

    async def _end(self, slot: _Slot) -> None:
        """End the slot's box, and the one that would come after it."""
        if slot.successor is not None:
            slot.successor.cancel()
            await asyncio.wait([slot.successor])
            self._adopt(slot)
            await asyncio.gather(*self._renewals, return_exceptions=True)
        await self._discard(slot)

    async def _discard(self, slot: _Slot) -> None:
        box, slot.box = slot.box, None
        if box is not None:
            await box.close()


def _require(layers: tuple[IsolationLayer, ...]) -> None:
    """Refuse to go on when a layer that must hold does not."""
    held = {layer.name for layer in layers if layer.active}
    if missing := REQUIRED_LAYERS - held:
        details = "; ".join(f"{layer.name}: {layer.detail}" for layer in layers if layer.name in missing)
        raise SandboxUnsupportedError(f"the self-test found holes: {details or ', '.join(sorted(missing))}")
