"""Conducts interactive tests: a response's program and its judge, each in a cell of its own, and words between them.

The program has standard input and output and nothing else of the judge, whom the supervisor asks and tells. The
program's clock stands still while the judge thinks, and the judge's while the program does.
"""

import time
from collections.abc import Callable
from typing import Any

from .. import task_files
from ..cells import Cell, CellEnded, Cells, Ended, OutOfTime
from ..channel import FrameError
from .endings import not_tried, sentence

_THINKING_SECONDS = 10.0
_NO_TIME = {"fault": "ended", "ended": "wall_limit", "detail": "the time for all tests was used up"}


def conduct(cells: Cells, start: Callable[[], Cell], test: dict[str, Any], judge: dict[str, Any]) -> dict[str, Any]:
    """Let ``judge`` (source, files) talk to the program that ``start`` starts.

    Return ``share`` and ``detail``, or ``fault`` (``ended``, ``nonsense``, ``turns``) with ``detail`` and how the
    program ended, or ``error`` when the judge itself is broken.
    """
    judging: Cell | None = None
    try:
        judging = cells.open(
            "code_tests.interactive_judge", trusted=True, limits={"wall_seconds": cells.time_left() + 1.0}
        )
        task_files.send(judging, judge["files"])
        judging.send({"source": judge["source"], "data": test["data"]})
        return _Conversation(cells, judging, start(), test).outcome()
    except OutOfTime:
        return dict(_NO_TIME)
    finally:
        if judging is not None:
            judging.end()


def passed_limit(facts: dict[str, Any]) -> bool:
    """Return whether the program was at fault for passing a limit."""
    return facts.get("fault") == "ended" and facts["ended"].endswith("_limit")


def untried() -> dict[str, Any]:
    """Return what stands for a conversation of a program that has passed too many limits."""
    return {"fault": "ended", **not_tried({"ended": "wall_limit"})}


class _Conversation:
    """One program and one judge."""

    def __init__(self, cells: Cells, judging: Cell, program: Cell, test: dict[str, Any]) -> None:
        self._cells = cells
        self._judging = judging
        self._program = program
        self._max_turns = test["max_turns"]
        self._said = bytearray()
        self._turns = 0
        self._want = ""
        """What the judge waits for; empty while it thinks."""
        self._since = time.monotonic()
        """When the judge began to think."""
        self._thinking_seconds = max(_THINKING_SECONDS, cells.limits["wall_seconds"])
        """In which a judge, whose CPU time is limited too, only sleeps: no program can make it do that."""

    def outcome(self) -> dict[str, Any]:
        """Carry words until one side has no more to say."""
        try:
            while True:
                while self._judging.has_message:
                    if (said := self._hear(self._judging.receive())) is not None:
                        return self._facts(said)
                self._serve()
                if self._judging.ended is not None and not self._judging.has_message:
                    return self._without_judge(self._judging.ended)
                if not self._want and time.monotonic() - self._since > self._thinking_seconds:
                    return self._facts({"error": f"it thought for more than {self._thinking_seconds:g} s"})
                self._cells.pump()
                self._said += self._program.take_output()
        except CellEnded as end:
            return self._without_judge(end.ended)
        finally:
            self._program.end()

    def _hear(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Do what the judge says; return its last word."""
        match message:
            case {"say": str(text)}:
                self._program.tell(text.encode("utf-8", "surrogateescape"))
            case {"hang_up": True}:
                self._program.hang_up()
            case {"want": str(want)}:
                self._want = want
                self._program.meter.forgive(time.monotonic() - self._since)
                if want == "rest":
                    self._program.hang_up()
            case _:
                return message
        return None

    def _serve(self) -> None:
        """Give the judge what it waits for, if it is there."""
        self._said += self._program.take_output()
        ended = self._program.ended
        if self._want == "line":
            self._serve_line(ended)
        elif self._want == "rest" and ended is not None:
            text = self._text(len(self._said))
            well = ended.ending == "exited" and ended.exit_status == 0
            self._answer({"rest": text} if well else {"fault": ["ended", sentence(ended)]})

    def _serve_line(self, ended: Ended | None) -> None:
        length = self._said.find(b"\n")
        if length < 0 and ended is None:
            return
        if length < 0 and not self._said:
            assert ended is not None  # noqa: S101 - see above
            self._answer({"fault": ["ended", self._why_silent(ended)]})
        elif self._turns >= self._max_turns:
            self._answer({"fault": ["turns", f"it said more than {self._max_turns} lines"]})
        else:
            self._turns += 1
            line = self._text(length + 1 if length >= 0 else len(self._said))
            self._answer({"line": line.removesuffix("\n").removesuffix("\r")})

    def _text(self, count: int) -> str:
        text = bytes(self._said[:count]).decode("utf-8", "surrogateescape")
        del self._said[:count]
        return text

    def _answer(self, reply: dict[str, Any]) -> None:
        self._want = ""
        self._since = time.monotonic()
        try:
            self._judging.restart_clock()
            self._judging.send(reply)
        except FrameError:
            self._judging.send({"fault": ["nonsense", "it said too much at once"]})

    def _why_silent(self, ended: Ended) -> str:
        if ended.ending == "wall_limit":
            return f"the judge waited for a line and none came in {ended.wall_seconds:.1f} s: is its output flushed?"
        return f"the judge waited for a line: {sentence(ended)}"

    def _without_judge(self, ended: Ended) -> dict[str, Any]:
        """Return the facts on a judge that did not come to its end; a program that had a say may have caused that."""
        detail = f"the judge gave no verdict: {sentence(ended)} {ended.stderr[-500:]}"
        return self._facts({"fault": "nonsense", "detail": detail} if self._turns else {"error": detail})

    def _facts(self, said: dict[str, Any]) -> dict[str, Any]:
        ended = self._program.end()
        return {
            **said,
            "turns": self._turns,
            "ended": ended.ending,
            "exit_status": ended.exit_status,
            "stderr": ended.stderr[-1000:],
        }
