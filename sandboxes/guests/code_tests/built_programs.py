"""Programs of any language: their files, built once where they must be, and started in cells.

What a build makes is kept in the supervisor, which no run can reach, under the digest of all that went into it: the
same response is not compiled twice in one box, and different responses share nothing.
"""

import base64
import hashlib
import json
from collections import OrderedDict
from typing import Any

from .. import task_files
from ..cells import Cell, CellEnded, Cells, OutOfTime
from ..channel import FrameError
from .endings import sentence
from .languages import Toolchain

CANNOT_RUN = (126, 127)
"""Statuses by which shells and the loader say that a program itself cannot be started."""
_BUILD_LIMITS = {"cpu_seconds": 30.0, "wall_seconds": 120.0, "memory_bytes": 1 << 30, "processes": 64}
_MANAGED_PROCESSES = 64
_ERROR_CHARACTERS = 4000
_KEPT_CHARACTERS = 32 << 20


class NotBuilt(Exception):  # noqa: N818 - an outcome
    """There is no program: ``facts`` has ``build_error`` (what the compiler said) or ``missing`` (a tool)."""

    def __init__(self, **facts: str) -> None:
        super().__init__(str(facts))
        self.facts = facts


class Builds:
    """What was built in this box, the latest up to a bound."""

    def __init__(self, room: int = _KEPT_CHARACTERS) -> None:
        self._room = room
        self._kept: OrderedDict[str, dict[str, str]] = OrderedDict()

    def get(self, key: str) -> dict[str, str] | None:
        """Return what was made of ``key``."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: str, made: dict[str, str]) -> None:
        """Keep what was made, and forget the oldest where there is no room."""
        self._kept[key] = made
        while sum(map(_size, self._kept.values())) > self._room:
            self._kept.popitem(last=False)


def _size(files: dict[str, str]) -> int:
    return sum(len(path) + len(content) for path, content in files.items())


_BUILDS = Builds()


class BuiltProgram:
    """A program that can be started again and again."""

    def __init__(self, cells: Cells, toolchain: Toolchain, sources: dict[str, str], files: dict[str, str]) -> None:
        """``sources``: text by path, the response's and perhaps a harness; ``files``: the task's, base64 by path.

        Raises `NotBuilt`.
        """
        self._cells = cells
        self._toolchain = toolchain
        self._files = files
        self._programs = {path: _base64(text) for path, text in sources.items()}
        if toolchain.build:
            self._programs = self._built()

    def start(self, stdin: str | None, limits: dict[str, Any]) -> Cell:
        """Return a cell that runs the program. Raises `NotBuilt`, `CellEnded`, `OutOfTime`.

        ``stdin``: what it may read, or None where it is told later. ``limits`` of its own, on top of the job's.
        """
        bounds = dict(limits)
        merged = {**self._cells.limits, **limits}
        if self._toolchain.managed:
            bounds["processes"] = max(merged["processes"], _MANAGED_PROCESSES)
        command = tuple(word.format(memory_mib=int(merged["memory_bytes"]) >> 20) for word in self._toolchain.run)
        cell = self._cells.open(
            "code_tests.executable",
            stdin=None if stdin is None else stdin.encode("utf-8", "surrogatepass"),
            limits=bounds,
            address_space=not self._toolchain.managed,
        )
        begun = self._order(cell, self._programs, command, build=False)
        if "missing" in begun:
            cell.end()
            raise NotBuilt(missing=begun["missing"])
        return cell

    def _built(self) -> dict[str, str]:
        key = self._key()
        made = _BUILDS.get(key)
        if made is None:
            made = self._build()
            _BUILDS.keep(key, made)
        return made

    def _key(self) -> str:
        parts = (self._toolchain, self._programs, self._files)
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("ascii")).hexdigest()

    def _build(self) -> dict[str, str]:
        more = [path for path in (*self._programs, *self._files) if path.endswith(self._toolchain.compiled)]
        command = (*self._toolchain.build, *sorted(set(more) - {self._toolchain.file_name}))
        try:
            cell = self._cells.open("code_tests.executable", limits=_BUILD_LIMITS, address_space=False)
            made = self._order(cell, self._programs, command, build=True)
        except OutOfTime:
            raise NotBuilt(build_error="the time for all tests was used up") from None
        except FrameError as error:
            raise NotBuilt(build_error=str(error)) from None
        except CellEnded as end:
            end.ended.flags.clear()  # what a compiler tries is not the response's doing
            said = f"{sentence(end.ended)}\n{end.ended.stderr[-_ERROR_CHARACTERS:]}"
            raise NotBuilt(build_error=said) from None
        ended = cell.end()
        ended.flags.clear()
        said = ended.stderr[-_ERROR_CHARACTERS:]
        if "missing" in made:
            raise NotBuilt(missing=made["missing"])
        if made["status"] in CANNOT_RUN:
            raise NotBuilt(missing=f"{command[0]}: {said}")
        if made["status"] != 0:
            raise NotBuilt(build_error=said or f"the compiler exited with status {made['status']}")
        files: dict[str, str] = made["files"]
        return files

    def _order(self, cell: Cell, programs: dict[str, str], command: tuple[str, ...], *, build: bool) -> Any:
        task_files.send(cell, self._files)
        order = {"programs": programs, "command": command, "build": build, "given": list(self._files)}
        return cell.ask({**order, "environment": dict(self._toolchain.environment)})


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
