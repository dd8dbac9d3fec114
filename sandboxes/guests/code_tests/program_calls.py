"""Conducts calls of a program's functions in languages other than Python.

The program was built with a harness that reads one request a line on standard input, ``{"id", "function", "args"}``,
and answers on a line that begins with a record separator and the request's id: ``{"value": ...}`` or ``{"raised":
{"mro": [...], "message": ...}}``. The answer 0 says that the code is loaded. Whatever else the program prints is its
own. It is told the arguments of one call at a time, and what is expected stays on the host; so whoever forges an answer
has only answered.
"""

import json
from contextlib import suppress
from typing import Any

from ..cells import Cell, CellEnded, OutOfTime
from .built_programs import BuiltProgram
from .endings import MAX_LIMITS_PASSED, OUT_OF_TIME, Room, facts_of, not_tried

_OUTPUT_BYTES = 16 << 20
_SEPARATOR = b"\n\x1e"
_MAX_NAMES, _MAX_NAME = 64, 2_000


class Calls:
    """The calls of one program, in one process after another: one that ended is replaced."""

    def __init__(self, program: BuiltProgram, pump: Any) -> None:
        self._program = program
        self._pump = pump
        self._cell: Cell | None = None
        self._limits: dict[str, Any] = {}
        self._said = bytearray()
        self._number = 0
        self._room = Room()
        self._passed_limits: list[dict[str, Any]] = []
        self._unloadable: dict[str, Any] = {}

    def call(self, call: dict[str, Any]) -> dict[str, Any]:
        """Make one call. Raises `NotBuilt` where the program cannot be started."""
        if self._unloadable:
            return self._unloadable
        if len(self._passed_limits) >= MAX_LIMITS_PASSED:
            return not_tried(self._passed_limits[-1])
        try:
            cell = self._ready(call.get("limits") or {})
            if cell is None:
                return self._unloadable
            self._number += 1
            name = json.dumps(call["function"])
            request = f'{{"id":{self._number},"function":{name},"args":{call["args"]}}}\n'
            cell.tell(request.encode("ascii"))
            return self._room.take(self._answer(cell, self._number), "value")
        except CellEnded as end:
            self._cell = None
            facts = {**facts_of(end.ended), "plain": True}
            if end.ended.ending.endswith("_limit"):
                self._passed_limits.append(facts)
            return facts
        except OutOfTime:
            return dict(OUT_OF_TIME)

    def close(self) -> None:
        """End the program."""
        if self._cell is not None:
            self._cell.end()
            self._cell = None

    def _ready(self, limits: dict[str, Any]) -> Cell | None:
        """Return a process with the code loaded; None when the code cannot be loaded. Raises `CellEnded`."""
        if self._cell is not None and limits != self._limits:
            self.close()
        if self._cell is None:
            self._limits = limits
            self._said.clear()
            self._cell = self._program.start(None, {**limits, "output_bytes": _OUTPUT_BYTES})
            if failed := self._load(self._cell):
                self._unloadable = {**failed, "loading": True}
                self.close()
                return None
        self._cell.restart_clock()
        return self._cell

    def _load(self, cell: Cell) -> dict[str, Any]:
        """Wait until the code is loaded; return the facts of a code that cannot be."""
        try:
            loaded = self._answer(cell, 0)
        except CellEnded as end:
            return {**facts_of(end.ended), "plain": True}
        return loaded if "raised" in loaded else {}

    def _answer(self, cell: Cell, number: int) -> dict[str, Any]:
        """Wait for the answer to request ``number``. Raises `CellEnded`."""
        mark = _SEPARATOR + b"%d " % number
        searched = 0
        while True:
            self._said += cell.take_output()
            start = self._said.find(mark, searched)
            end = self._said.find(b"\n", start + len(mark)) if start >= 0 else -1
            if end >= 0:
                answer = bytes(self._said[start + len(mark) : end])
                del self._said[:end]  # the line's end may begin the next separator
                return _read(answer)
            if start < 0:
                searched = max(0, len(self._said) - len(mark))
            if cell.ended is not None:
                raise CellEnded(cell.ended)
            self._pump()


def _read(answer: bytes) -> dict[str, Any]:
    """Return an answer in a form that is safe to pass on, whatever it is: a value stays text, which the host reads."""
    text = answer.decode("utf-8", "replace")
    if text.startswith('{"value":') and text.endswith("}"):
        return {"value": text[len('{"value":') : -1], "plain": True}
    with suppress(ValueError, RecursionError):
        match json.loads(text) if len(text) < _MAX_NAMES * _MAX_NAME else None:
            case {"raised": {"mro": [*names], "message": str(message)}}:
                kept = [name[:_MAX_NAME] for name in names[:_MAX_NAMES] if isinstance(name, str)]
                return {"raised": {"mro": kept, "message": message[:_MAX_NAME]}}
    return {"raised": {"mro": ["Error"], "message": "the program answered out of form"}}
