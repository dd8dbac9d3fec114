"""Conducts one program for whoever asks what it does: compiled if need be, run once, with files before and after.

Payload: ``language`` (``python`` or a key of `languages.TOOLCHAINS`), ``source``, ``stdin``, ``files`` (base64 by
relative path), ``fetch`` (relative paths), ``build_seconds``. Report: ``build`` and ``run``, each None or ``ended``,
``exit_status``, ``stdout``, ``stderr``, ``seconds``, ``detail``; ``files`` (base64 by path: those of ``fetch`` that
the program left, as far as they fit); or ``missing``, a tool that this box does not have. Nothing here is a judgement:
what a program says of itself is its own.
"""

import base64
import shutil
from typing import Any

from .. import channel
from ..cells import CellEnded, Cells, Ended, OutOfTime
from .built_programs import CANNOT_RUN
from .endings import sentence
from .languages import TOOLCHAINS

_BUILD_MEMORY_BYTES, _BUILD_PROCESSES, _MANAGED_PROCESSES = 1 << 30, 64, 64
_WALL_CLOCK_SHARE = 1.5
"""Wall-clock time for building, by its CPU time: a busy machine shall not decide."""
_OUT_OF_TIME = {
    "ended": "wall_limit",
    "exit_status": -9,
    "stdout": "",
    "stderr": "",
    "seconds": 0.0,
    "detail": "the time for building and running was used up",
}


def conduct(cells: Cells, payload: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """Return what the program did."""
    language, source = payload["language"], payload["source"].encode("utf-8", "surrogatepass")
    order = {"files": payload["files"], "fetch": payload["fetch"], "environment": {}, "source": None}
    if language == "python":
        plain = not payload["files"] and not payload["fetch"]
        order["source"] = payload["source"]
        return _run(cells, "program" if plain else "workspace", order, payload["stdin"], {}, address_space=True)
    toolchain = TOOLCHAINS[language]
    needed = (toolchain.build or toolchain.run)[0]
    if "/" not in needed and shutil.which(needed) is None:
        return {"missing": needed}
    order["environment"] = dict(toolchain.environment)
    order["files"] = {**payload["files"], toolchain.file_name: base64.b64encode(source).decode("ascii")}
    built = None
    if toolchain.build:
        built, made = _build(cells, order, toolchain.build, payload["build_seconds"])
        if "missing" in built:
            return built
        if made is None:
            return {"build": built, "run": None, "files": {}}
        order["files"] = {**payload["files"], **made}
    order["command"] = [word.format(memory_mib=int(limits["memory_bytes"]) >> 20) for word in toolchain.run]
    bounds = {"processes": max(limits["processes"], _MANAGED_PROCESSES)} if toolchain.managed else {}
    ran = _run(cells, "workspace", order, payload["stdin"], bounds, address_space=not toolchain.managed)
    return {**ran, "build": built}


def _build(
    cells: Cells, order: dict[str, Any], command: tuple[str, ...], seconds: float
) -> tuple[dict[str, Any], dict[str, str] | None]:
    """Return what the compiler did, and the files that it made; None when there is nothing to run."""
    bounds = {
        "cpu_seconds": seconds,
        "wall_seconds": seconds * _WALL_CLOCK_SHARE,
        "memory_bytes": _BUILD_MEMORY_BYTES,
        "processes": _BUILD_PROCESSES,
    }
    try:
        cell = cells.open("code_tests.executable", limits=bounds, address_space=False)
        given = list(order["files"])
        made = cell.ask({**order, "programs": order["files"], "command": command, "build": True, "given": given})
    except OutOfTime:
        return _OUT_OF_TIME, None
    except CellEnded as end:
        end.ended.flags.clear()  # what a compiler tries is not the program's doing
        return _facts(end.ended), None
    ended = cell.end()
    ended.flags.clear()
    if "missing" in made or made["status"] in CANNOT_RUN:
        return {"missing": made.get("missing", command[0])}, None
    facts = {**_facts(ended), "ended": "exited", "exit_status": made["status"], "detail": ""}
    return facts, made["files"] if made["status"] == 0 else None


def _run(
    cells: Cells, role: str, order: dict[str, Any], stdin: str, bounds: dict[str, Any], *, address_space: bool
) -> dict[str, Any]:
    try:
        cell = cells.open(
            f"code_tests.{role}",
            stdin=stdin.encode("utf-8", "surrogatepass"),
            limits=bounds,
            address_space=address_space,
        )
    except OutOfTime:
        return {"build": None, "run": _OUT_OF_TIME, "files": {}}
    files: dict[str, str] = {}
    status = None
    try:
        cell.send({"source": order["source"]} if role == "program" else order)
        if order["fetch"]:
            said = cell.receive()
            files, status = _files(said, order["fetch"]), said.get("status")
        ended = cell.wait()
    except CellEnded as end:
        ended = end.ended
    except channel.FrameError:
        ended = cell.end()
        too_much = {"ended": "output_limit", "exit_status": -9, "detail": "its files are too large, all together"}
        return {"build": None, "run": {**_facts(ended), **too_much}, "files": {}}
    facts = _facts(ended)
    if type(status) is int and ended.ending == "exited":  # it ran below the process that fetched its files
        facts["exit_status"] = status
    return {"build": None, "run": facts, "files": files}


def _files(said: Any, wanted: list[str]) -> dict[str, str]:
    """Return the files in a message of the run, which is the program's to forge: only form is checked."""
    files = said.get("files") if isinstance(said, dict) else None
    if not isinstance(files, dict):
        return {}
    return {path: files[path] for path in wanted if isinstance(files.get(path), str)}


def _facts(ended: Ended) -> dict[str, Any]:
    return {
        "ended": ended.ending,
        "exit_status": ended.exit_status,
        "stdout": ended.stdout.decode("utf-8", "replace"),
        "stderr": ended.stderr,
        "seconds": ended.wall_seconds,
        "detail": "" if ended.ending == "exited" else sentence(ended),
    }
