"""The faults: what is done to a server, its boxes, its daemon and its callers while it grades."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import grpc
import psutil
from private_daemon import Daemon

from trainer_client import Failure, RetryPolicy, RewardClient, RewardError, Sample

_EXAMINERS = ("code_tests.examiner", "code_tests.file_examiner", "code_tests.checker", "code_tests.test_twins")
_PATIENCE_SECONDS = 1.0
_FILLER = """
import os, subprocess
for place in ("/tmp", "/dev/shm"):
    for number in range(20000):
        try:
            with open(f"{place}/{number}", "wb") as file:
                file.write(bytes(1 << 20))
        except OSError:
            break
    try:
        os.makedirs(place + "/deep" * 100)
    except OSError:
        pass
subprocess.Popen(["sleep", "1000"])
"""
FILLING = Sample(
    {"taskId": "filling", "codeTests": {"stdioTests": [{"expectedStdout": "well"}]}}, f"```python\n{_FILLER}```"
)
"""A response that fills every place it can write to and leaves a process behind."""


class Injector:
    """Makes trouble for one server until it is told to stop."""

    def __init__(
        self,
        address: str,
        process: psutil.Process,
        dice: random.Random,
        samples: list[Sample],
        *,
        boxes: Callable[[], list[int]] | None = None,
        daemon: Daemon | None = None,
        pace: float = 1.0,
    ) -> None:
        """``boxes`` gives the host's ids of the first processes of containers, where boxes are containers.

        ``pace`` stretches the time between faults: a slow machine needs longer to bring boxes back, and without boxes
        nothing is graded that a fault could spoil.
        """
        self._address, self._process, self._dice, self._samples = address, process, dice, samples
        self._boxes, self._daemon, self._pace = boxes, daemon, pace
        self.done: list[str] = []
        self.problems: list[str] = []
        self._boxes_faults: list[Callable[[], None]] = [
            *(self.kill_candidate, self.kill_candidate, self.kill_candidate, self.kill_examiner, self.kill_examiner),
            *(self.stop_something, self.stop_something, self.kill_zygote, self.kill_supervisor),
            *([self.kill_container] if boxes else []),
        ]
        self._callers_faults: list[Callable[[], None]] = [
            *(self.fill_tmp, self.vanish, self.dawdle, self.send_half, self.send_nonsense, self.send_too_much),
        ]

    def trouble_boxes(self, until: float) -> None:
        """Kill or stop something every fraction of a second, and the daemon, where it may be, now and then."""
        left = until - time.monotonic()
        restarts = [until - share * left for share in (0.7, 0.3)] if self._daemon else []
        while (now := time.monotonic()) < until:
            due = bool(restarts) and restarts[0] <= now
            self._do(self.restart_daemon if due else self._dice.choice(self._boxes_faults))
            restarts = restarts[due:]
            time.sleep(self._pace * self._dice.uniform(0.1, 1.0))

    def trouble_callers(self, until: float) -> None:
        """Be a bad client, one after another."""
        while time.monotonic() < until:
            self._do(self._dice.choice(self._callers_faults))
            time.sleep(self._dice.uniform(0.05, 0.4))

    def _do(self, fault: Callable[[], None]) -> None:
        with suppress(psutil.Error, ProcessLookupError, subprocess.SubprocessError, IndexError):  # no victim now
            fault()
            self.done.append(fault.__name__)

    def kill_candidate(self) -> None:
        """Kill a run that holds a response's code."""
        self._kill(lambda role, is_run: is_run and role not in _EXAMINERS)

    def kill_examiner(self) -> None:
        """Kill a run that holds a test program."""
        self._kill(lambda role, is_run: is_run and role in _EXAMINERS)

    def kill_zygote(self) -> None:
        """Kill a warm interpreter."""
        self._kill(lambda role, is_run: bool(role) and not is_run)

    def kill_supervisor(self) -> None:
        """Kill the first process of a box, or whatever else serves it."""
        self._kill(lambda role, _: not role)

    def _kill(self, wanted: Callable[[str, bool], bool]) -> None:
        victims: list[psutil.Process] = []
        patience = time.monotonic() + _PATIENCE_SECONDS  # runs are short
        while not victims and time.monotonic() < patience:
            victims = [process for process, role, is_run in self._inside() if wanted(role, is_run)]
        os.kill(self._dice.choice(victims).pid, signal.SIGKILL)

    def stop_something(self) -> None:
        """Stop the clock of any process of any box for a while."""
        victim, _, _ = self._dice.choice(list(self._inside()))
        os.kill(victim.pid, signal.SIGSTOP)
        time.sleep(self._dice.uniform(0.2, 1.5))
        os.kill(victim.pid, signal.SIGCONT)

    def kill_container(self) -> None:
        """Kill all of a container at once, by its first process."""
        assert self._boxes is not None
        os.kill(self._dice.choice(self._boxes()), signal.SIGKILL)

    def restart_daemon(self) -> None:
        """End the daemon, politely or not, and start it again after a while."""
        assert self._daemon is not None
        self._daemon.stop(self._dice.choice([signal.SIGTERM, signal.SIGKILL]))
        time.sleep(self._dice.uniform(0.0, 2.0))
        self._daemon.start()

    def fill_tmp(self) -> None:
        """Have a response fill its directories; that is its own doing, and nobody else's."""
        with self._impatient() as client, suppress(RewardError):
            (result,) = client.score([FILLING], timeout_seconds=60)
            if not isinstance(result, Failure) and result.score > 0.0:
                self.problems.append(f"a response that fills its directories got {result.score}")

    def vanish(self) -> None:
        """Ask for much and leave after the first result."""
        with self._impatient() as client, suppress(RewardError, StopIteration):
            next(client.stream(self._samples[:30], timeout_seconds=20))

    def dawdle(self) -> None:
        """Take a stream's results slowly; each must come once."""
        with self._impatient() as client, suppress(RewardError):
            taken = 0
            for _ in client.stream(self._samples[-20:], timeout_seconds=60):
                taken += 1
                time.sleep(0.05)
            if taken != 20:
                self.problems.append(f"a slow client got {taken} of 20 results")

    def send_half(self) -> None:
        """Say half of a request and no more for a while."""
        host, _, port = self._address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as stream:
            stream.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x01\x00\x01\x05")
            time.sleep(self._dice.uniform(0.1, 1.0))

    def send_nonsense(self) -> None:
        """Send bytes that are no message; the server must say so."""
        self._expect(self._dice.randbytes(200), {grpc.StatusCode.INVALID_ARGUMENT})

    def send_too_much(self) -> None:
        """Send a message past the published limit."""
        self._expect(bytes(65 << 20), {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT})

    def _expect(self, data: bytes, codes: set[grpc.StatusCode]) -> None:
        with grpc.insecure_channel(self._address, options=[("grpc.max_send_message_length", -1)]) as channel:
            try:
                channel.unary_unary("/reward.v1.RewardService/Score")(data, timeout=20)
            except grpc.RpcError as error:
                if error.code() not in codes | {grpc.StatusCode.UNAVAILABLE}:
                    self.problems.append(f"a bad message got {error.code()}: {error.details()}")
            else:
                self.problems.append("a bad message was answered")

    def _impatient(self) -> RewardClient:
        return RewardClient(self._address, retries=RetryPolicy(attempts=1))

    def _inside(self) -> Iterator[tuple[psutil.Process, str, bool]]:
        """Yield the processes of all boxes: each with its role, if it has one, and whether it is a run."""
        if self._boxes is None:
            found = [child for child in self._process.children(recursive=True) if child.ppid() != self._process.pid]
        else:
            roots = [psutil.Process(pid) for pid in self._boxes()]
            found = [process for root in roots for process in (root, *root.children(recursive=True))]
        for process in found:
            with suppress(psutil.Error):
                role, parent = _role(process), process.parent()
                yield process, role, bool(role) and parent is not None and _role(parent) == role


def _role(process: psutil.Process) -> str:
    """Return the role of a zygote or of a run forked from it; nothing for other processes."""
    words = process.cmdline()
    at = next((i for i, word in enumerate(words) if "zygote.main(" in word), None)
    return words[at + 1] if at is not None and at + 1 < len(words) else ""
