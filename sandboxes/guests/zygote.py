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
    module = importlib.import_module(f".{role}", __package__)
    kernel = isolation.probe_kernel()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    gc.collect()
    gc.freeze()
    control.send(
        json.dumps({"loaded": role, "landlock_abi": kernel.landlock_abi, "notify": kernel.seccomp_notify}).encode()
    )
    poller = select.poll()
    poller.register(control, select.POLLIN)
    poller.register(wake_read, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor == wake_read:
                os.read(wake_read, 4096)
            elif not _serve(control, module, kernel):
                return
        _report_ended(control)


def _serve(control: socket.socket, module: Any, kernel: isolation.Kernel) -> bool:
    """Fork one child as asked; False when the supervisor has gone."""
    request, descriptors, _, _ = socket.recv_fds(control, MAX_DATAGRAM, MAX_DESCRIPTORS)
    if not request:
        return False
    pid = os.fork()
    if pid == 0:
        _live(json.loads(request), descriptors, control, module, kernel)
    for descriptor in descriptors:
        os.close(descriptor)
    control.send(json.dumps({"forked": pid}).encode())
    return True


def _report_ended(control: socket.socket) -> None:
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
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
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if settings["uid"] is None:
            isolation.enter_namespaces(settings, control)
        channel, peers = _arrange(descriptors)
        listener = isolation.become(settings, kernel)
        _fresh_streams()
        random.seed(0)  # the same response meets the same dice
        _announce(channel, listener)
        status = _run(module, channel, peers)
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


def _fresh_streams() -> None:
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
    """Run the role's ``main``, or answer one payload with its ``run``. Return the exit status."""
    try:
        if hasattr(module, "main"):
            module.main(channel, peers)
        else:
            channel.send(module.run(channel.receive()))
        sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the traceback belongs on the run's standard error
        traceback.print_exc()
        return 1
    return 0
