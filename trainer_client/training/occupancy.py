"""How long the accelerator had something to do: the engine, the learner, or both at once."""

import threading
import time
from types import TracebackType
from typing import Self


class Occupancy:
    """The time during which at least one thread is inside. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._since = 0.0
        self._total = 0.0

    @property
    def seconds(self) -> float:
        """The time so far, that of now included."""
        with self._lock:
            return self._total + (time.monotonic() - self._since if self._inside else 0.0)

    def __enter__(self) -> Self:
        with self._lock:
            if self._inside == 0:
                self._since = time.monotonic()
            self._inside += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._total += time.monotonic() - self._since
