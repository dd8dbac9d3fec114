"""Ctrl-C and SIGTERM: the first one lets the step end, the second one does not."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self


class Interrupts:
    """While open, the first signal sets `asked`, and the next raises KeyboardInterrupt where the program stands."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """``tell`` shows a person what happens."""
        self.asked = False
        self._tell = tell
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # what signal() gave

    def _take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as signal() calls it
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self._tell("Stopping after this step, with a checkpoint; again to stop at once.")
