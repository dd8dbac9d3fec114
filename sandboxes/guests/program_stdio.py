"""Conducts whole programs of any language: compiled once, then run once per input, each time in a cell of its own.

Payload: ``language`` (a key of `languages.TOOLCHAINS`), ``source``, ``inputs`` (standard input of each run). Report:
``runs`` as in `python_code`, in the order of the inputs, and one of ``built`` (true), ``build_error`` (what the
compiler said) and ``missing`` (a tool that this box does not have); with either of the latter there are no runs.
"""

import base64
from typing import Any

from .cells import CellEnded, Cells, Ended, OutOfTime
from .languages import TOOLCHAINS, Toolchain
from .python_code import MAX_LIMITS_PASSED, sentence

_BUILD_LIMITS = {"cpu_seconds": 30.0, "wall_seconds": 60.0, "memory_bytes": 1 << 30, "processes": 64}
_MANAGED_PROCESSES = 64
_ERROR_CHARACTERS = 4000
_CANNOT_RUN = (126, 127)
"""Statuses by which shells and the loader say that a program itself cannot be started."""


def conduct(cells: Cells, payload: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """Return what the program did with every input."""
    toolchain = TOOLCHAINS[payload["language"]]
    source = payload["source"].encode("utf-8", "surrogatepass")
    files = {toolchain.file_name: base64.b64encode(source).decode("ascii")}
    report: dict[str, Any] = {"runs": [], "built": True}
    if toolchain.build:
        built = _build(cells, toolchain, files)
        if "files" not in built:
            return {"runs": [], **built}
        files = built["files"]
    passed_limits = 0
    for stdin in payload["inputs"]:
        if passed_limits == MAX_LIMITS_PASSED:
            last = report["runs"][-1]
            report["runs"].append({**last, "detail": f"not tried: {MAX_LIMITS_PASSED} runs before it passed a limit"})
            continue
        run = _run(cells, toolchain, files, stdin, limits)
        if "missing" in run:
            return {"runs": [], **run}
        passed_limits += run["ended"].endswith("_limit")
        report["runs"].append(run)
    return report


def _build(cells: Cells, toolchain: Toolchain, files: dict[str, str]) -> dict[str, Any]:
    try:
        cell = cells.open("executable", limits=_BUILD_LIMITS, address_space=False)
        made = cell.ask(_order(toolchain, files, toolchain.build, build=True))
    except OutOfTime:
        return {"build_error": "the time for all tests was used up"}
    except CellEnded as end:
        end.ended.flags.clear()  # what a compiler tries is not the response's doing
        return {"build_error": f"{sentence(end.ended)}\n{end.ended.stderr[-_ERROR_CHARACTERS:]}"}
    ended = cell.end()
    ended.flags.clear()
    said = ended.stderr[-_ERROR_CHARACTERS:]
    if "missing" in made:
        return {"missing": made["missing"]}
    if made["status"] in _CANNOT_RUN:
        return {"missing": f"{toolchain.build[0]}: {said}"}
    if made["status"] != 0:
        return {"build_error": said or f"the compiler exited with status {made['status']}"}
    return {"files": made["files"]}


def _run(
    cells: Cells, toolchain: Toolchain, files: dict[str, str], stdin: str, limits: dict[str, Any]
) -> dict[str, Any]:
    bounds = {"processes": max(limits["processes"], _MANAGED_PROCESSES)} if toolchain.managed else {}
    command = tuple(word.format(memory_mib=int(limits["memory_bytes"]) >> 20) for word in toolchain.run)
    try:
        cell = cells.open(
            "executable",
            stdin=stdin.encode("utf-8", "surrogatepass"),
            limits=bounds,
            address_space=not toolchain.managed,
        )
        begun = cell.ask(_order(toolchain, files, command, build=False))
        if "missing" in begun:
            cell.end()
            return {"missing": begun["missing"]}
        return _facts(cell.wait())
    except CellEnded as end:
        return _facts(end.ended)
    except OutOfTime:
        return {"ended": "wall_limit", "detail": "the time for all tests was used up"}


def _order(toolchain: Toolchain, files: dict[str, str], command: tuple[str, ...], *, build: bool) -> dict[str, Any]:
    return {"files": files, "command": command, "environment": dict(toolchain.environment), "build": build}


def _facts(ended: Ended) -> dict[str, Any]:
    return {
        "ended": ended.ending,
        "exit_status": ended.exit_status,
        "detail": sentence(ended),
        "stderr": ended.stderr[-1000:],
        "stdout": ended.stdout.decode("utf-8", "surrogateescape"),
    }
