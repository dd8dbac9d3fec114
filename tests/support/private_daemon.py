"""A Docker daemon of a test's own, which it may stop and kill: nobody else's containers are on it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MISSING = "" if os.geteuid() == 0 and shutil.which("dockerd") else "starting a daemon needs root and the engine"


class Daemon:
    """A Docker daemon below ``root``, in a network namespace of its own: it would remove the host daemon's bridge."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.host = f"unix://{root}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError."""
        places = (f"--data-root={self._root}/data", f"--exec-root={self._root}/exec", f"--pidfile={self._root}/pid")
        apart = ("--bridge=none", "--iptables=false", "--ip-forward=false", f"--host={self.host}")
        with (self._root / "log").open("ab") as log:
            self._process = subprocess.Popen(["unshare", "--net", "dockerd", *places, *apart], stdout=log, stderr=log)
        for _ in range(600):
            if subprocess.run(["docker", "-H", self.host, "info"], capture_output=True, check=False).returncode == 0:
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"no daemon: {(self._root / 'log').read_text()[-2000:]}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal and wait for that; containerd, which a killed daemon leaves behind, ends too."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(60)
        left = self._root / "exec" / "containerd" / "containerd.pid"
        if left.exists():
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(left.read_text()), signal.SIGKILL)
            left.unlink()

    def load(self, image: str) -> None:
        """Copy an image from the host's daemon."""
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
            subprocess.run(["docker", "-H", self.host, "load"], stdin=saving.stdout, capture_output=True, check=True)


@contextmanager
def private_daemon(image: str) -> Iterator[Daemon]:
    """Run a daemon that has ``image``, and remove all of it at the end."""
    with tempfile.TemporaryDirectory(prefix="daemon-", ignore_cleanup_errors=True) as place:
        daemon = Daemon(Path(place))
        daemon.start()
        try:
            daemon.load(image)
            yield daemon
        finally:
            daemon.stop()
            for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
                if (mounted := line.split()[1]).startswith(f"{place}/"):  # a killed daemon leaves some behind
                    subprocess.run(["umount", "--lazy", mounted], check=False)
