"""A warm interpreter that has one role's libraries loaded and forks a fresh, isolated child for every run.

It holds no payload: what a run needs goes to the child over the run's own channel, so a child's memory says nothing
about other runs. It is driven by the supervisor over a socket: one datagram per fork, one back per ended child.
"""

import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import traceback
from typing import Any

from . import isolation
from .channel import Channel

MAX_DATAGRAM = 1 << 16
MAX_DESCRIPTORS = 16


def main(role: str, control_descriptor: int) -> None:
    """Serve forks of ``role`` until the supervisor closes the socket."""
    control = socket.socket(fileno=control_descriptor)
    sys.dont_write_bytecode = True  # what a run imports from its own directory is gone with it
    module = importlib.import_module(f".{role}", __package__)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    forker = Forker(control, module)
    control.send(json.dumps({"loaded": role}).encode())
    poller = select.poll()
    poller.register(control, select.POLLIN)
    poller.register(wake_read, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor == wake_read:
                os.read(wake_read, 4096)
            elif not forker.serve():
                return
        _report_ended(control)


class Forker:
    """Forks children as the supervisor asks."""

    def __init__(self, control: socket.socket, module: Any) -> None:
        self._control = control
        self._module = module
        self._kernel = isolation.probe_kernel()
        self._namespaces: isolation.PidNamespaces | None = None
        _prepare_streams()
        gc.collect()
        gc.freeze()

    def serve(self) -> bool:
        """Fork one child as asked; False when the supervisor has gone."""
        request, descriptors, _, _ = socket.recv_fds(self._control, MAX_DATAGRAM, MAX_DESCRIPTORS)
        if not request:
            return False
        settings = json.loads(request)
        pid = self._fork(settings)
        if pid == 0:
            _live(settings, descriptors, self._control, self._module, self._kernel)
        for descriptor in descriptors:
            os.close(descriptor)
        self._control.send(json.dumps({"forked": pid, "number": settings["number"]}).encode())
        return True

    def _fork(self, settings: dict[str, Any]) -> int:
        if settings["uid"] is not None:
            return os.fork()
        self._namespaces = self._namespaces or isolation.PidNamespaces()
        return self._namespaces.fork()


def _report_ended(control: socket.socket) -> None:
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if os.WIFSTOPPED(status):  # it had itself traced; the supervisor's clock will end it
            continue
        report = {
            "ended": pid,
            "exit_status": os.waitstatus_to_exitcode(status),
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_memory_bytes": usage.ru_maxrss * 1024,
        }
        control.send(json.dumps(report).encode())


def _live(
    settings: dict[str, Any], descriptors: list[int], control: socket.socket, module: Any, kernel: isolation.Kernel
) -> None:
    """Be the child: arrange descriptors, put the layers on, run the role, exit. Never returns."""
    status = 70  # EX_SOFTWARE: a defect of ours, or of the host; the supervisor sees that the run was never ready
    try:
        os.dup2(descriptors[2], 2)  # from here on the supervisor can read what goes wrong
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if settings["uid"] is None:
            isolation.enter_namespaces(settings, control)
        channel, peers = _arrange(descriptors)
        listener = isolation.become(settings, kernel)
        random.seed(0)  # the same response meets the same dice
        _announce(channel, listener)
        status = _run(module, channel, peers)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - whatever happens, the child must not go on as a second zygote
        traceback.print_exc()
    finally:
        os._exit(status)


def _arrange(descriptors: list[int]) -> tuple[Channel, list[socket.socket]]:
    """Put the run's descriptors at 0, 1, 2, 3, … and close all others."""
    high = [os.dup2(descriptor, 200 + position) for position, descriptor in enumerate(descriptors)]
    os.closerange(3, 200)
    for position, descriptor in enumerate(high):
        os.dup2(descriptor, position, inheritable=position < 3)
    os.closerange(max(3, len(descriptors)), isolation.OPEN_FILES)
    sockets = [socket.socket(fileno=position) for position in range(3, len(descriptors))]
    return Channel(sockets[0]), sockets[1:]


def _prepare_streams() -> None:
    """Make the standard streams' objects once, over pipes: what children find below them cannot be sought either."""
    read, write = os.pipe()
    for descriptor, target in ((read, 0), (write, 1), (write, 2)):
        os.dup2(descriptor, target)
    os.close(read)
    os.close(write)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 - as above
    for name in ("stdin", "stdout", "stderr"):
        setattr(sys, f"__{name}__", getattr(sys, name))


def _announce(channel: Channel, listener: int | None) -> None:
    """Tell the supervisor that the layers are on, and hand it the seccomp listener."""
    frame = b"\x00\x00\x00\x04true"
    if listener is None:
        channel.socket.sendall(frame)
    else:
        socket.send_fds(channel.socket, [frame], [listener])
        os.close(listener)


def _run(module: Any, channel: Channel, peers: list[socket.socket]) -> int:
    """Run the role's ``main``, or answer payloads with its ``run``. Return the exit status."""
    try:
        if hasattr(module, "main"):
            module.main(channel, peers)
        else:
            _answer(module, channel)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the traceback belongs on the run's standard error
        traceback.print_exc()
        return 1
    return 0


def _answer(module: Any, channel: Channel) -> None:
    """Answer payload after payload, each as if it were the first, until the supervisor ends it."""
    while True:
        payload = channel.receive()
        random.seed(0)
        channel.send(module.run(payload))
