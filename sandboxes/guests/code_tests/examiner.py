"""The role that runs test programs. It holds what is expected, and never the response's code.

Names of the solution are stand-ins; see `proxies`. Each assert statement is one check and a failed one does not stop
the others: the program is rewritten so that an assert is noted instead of raised.
"""

import ast
import builtins
import io
import socket
import sys
import traceback
import types
from contextlib import redirect_stdout
from typing import Any

from .. import task_files
from ..channel import Channel
from . import test_files, trusted_names
from .candidate import MODULE
from .link import Link

_MAX_TEXT = 500
_NOTE = "__note_assert__"
_OWN = {"__name__": "test_program"}


class CandidateEnded(BaseException):
    """The candidate's process has ended; tests must not catch this as an exception of the solution."""


class Notes:
    """What became of each assert statement."""

    def __init__(self, count: int) -> None:
        self.asserts: list[dict[str, Any]] = [{"passed": None, "detail": ""} for _ in range(count)]

    def note(self, index: int, held: object) -> None:
        """Remember one evaluation; an assert passes when all its evaluations do."""
        entry = self.asserts[index]
        entry["passed"] = bool(held) and entry["passed"] is not False

    def error(self, index: int, error: BaseException) -> None:
        """Remember that an assert could not be evaluated."""
        self.asserts[index] = {"passed": False, "detail": _describe(error)}


class _Rewriter(ast.NodeTransformer):
    """Turns every assert into a note, and remembers their source text."""

    def __init__(self) -> None:
        self.sources: list[str] = []

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        index = len(self.sources)
        self.sources.append(ast.unparse(node.test)[:_MAX_TEXT])
        body = ast.parse(f"{_NOTE}.note({index}, None)").body[0]
        body.value.args[1] = node.test  # type: ignore[attr-defined] # parsed from the text above
        guard = ast.parse(f"try:\n pass\nexcept Exception as __error__:\n {_NOTE}.error({index}, __error__)").body[0]
        guard.body = [body]  # type: ignore[attr-defined] # as above
        return ast.copy_location(guard, node)


class Examiner:
    """Runs the tests of one response."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._link = Link(self._exchange)
        self._names: dict[str, Any] = {}
        self._ended = False
        self._limits: dict[str, Any] = {}
        """What the program at hand allows the solution's process, where that differs from the job's limits."""

    def examine(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run every test program; a candidate that ends is loaded afresh for the next."""
        programs = []
        for program in request["programs"]:
            try:
                self._link.trial.clear()
                programs.append({**self._run(program, request), "equal_to_all": self._link.trial.guilty})
            except SyntaxError as error:
                programs.append({"invalid": f"line {error.lineno}: {error.msg}"})
        return {"programs": programs}

    def _run(self, program: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        tree, source = ast.parse(program["code"]), request["source"]
        self._limits = program.get("limits") or {}
        self._link.objects = _uses_classes(tree)
        if missing := trusted_names.missing_modules(tree, MODULE):
            return {"invalid": f"it imports {missing[0]}, which the sandbox does not have"}
        if program.get("framework"):
            return self._run_file(program, source, tree)
        rewriter = _Rewriter()
        code = compile(ast.fix_missing_locations(rewriter.visit(tree)), "<test>", "exec")
        notes = Notes(len(rewriter.sources))
        outcome: dict[str, Any] = {"error": "", "calls_check": False}
        try:
            self._load(source, tree)
            space = trusted_names.space_for(
                ast.parse(program["code"]), self._names, prefix=request["prefix"], entry_point=request["entry_point"]
            )
            self._execute(code, notes, {**space, **_OWN, _NOTE: notes}, outcome, request["entry_point"])
        except CandidateEnded as end:
            outcome["error"], outcome["candidate_ended"] = str(end), True
        except BaseException as error:  # noqa: BLE001 - whatever a test or the solution raises ends this program only
            outcome["error"] = _describe(error)
        asserts = [{**entry, "source": text} for entry, text in zip(notes.asserts, rewriter.sources, strict=True)]
        return {**outcome, "asserts": asserts}

    def _run_file(self, program: dict[str, Any], source: str, tree: ast.Module) -> dict[str, Any]:
        try:
            self._load(source, tree)
        except CandidateEnded as end:
            return {"error": str(end), "candidate_ended": True, "tests": []}
        except BaseException as error:  # noqa: BLE001 - whatever loading the solution raises
            return {"error": _describe(error), "tests": []}
        outcome = test_files.run(program["framework"], program["code"])
        return {**outcome, "candidate_ended": True} if self._ended else outcome

    def _execute(
        self, code: types.CodeType, notes: Notes, space: dict[str, Any], outcome: dict[str, Any], entry_point: str
    ) -> None:
        tested = self._tested(entry_point)
        if tested is not None:
            space["candidate"] = tested
        with redirect_stdout(io.StringIO()):
            exec(code, space)  # noqa: S102 - the task author's program
            check = space.get("check")
            if isinstance(check, types.FunctionType) and all(entry["passed"] is None for entry in notes.asserts):
                outcome["calls_check"] = True
                check(self._names[entry_point] if tested is None else tested)

    def _tested(self, entry_point: str) -> Any:
        """Return what the tests are about; a method of a class ``Solution`` does as well as a function."""
        if entry_point in self._names or not entry_point or "Solution" not in self._names:
            return self._names.get(entry_point)
        return getattr(self._names["Solution"](), entry_point)

    def _load(self, source: str, tree: ast.Module) -> None:
        self._ended = False
        self._names = self._link.load(source)
        module = types.ModuleType(MODULE)
        vars(module).update(self._names)
        module.__all__ = trusted_names.wanted(tree, self._names, MODULE)  # type: ignore[attr-defined] # what `import *` gives
        sys.modules[MODULE] = module

    def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        if "load" in message:
            message["limits"] = self._limits
        self._channel.send({"candidate": message})
        answer: dict[str, Any] = self._channel.receive()
        if "ended" in answer:
            self._ended = True
            raise CandidateEnded(answer["ended"])
        if not isinstance(answer.get("candidate"), dict):
            raise CandidateEnded("it answered out of form")
        words: dict[str, Any] = answer["candidate"]
        return words


def _uses_classes(tree: ast.AST) -> bool:
    """Return whether a test program uses names like classes' that are neither builtin nor its own."""
    nodes = list(ast.walk(tree))
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    own = trusted_names.own_names([node for node in nodes if getattr(node, "module", "") != MODULE])
    return any(name[:1].isupper() and name not in own and not hasattr(builtins, name) for name in names)


def _describe(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()[:_MAX_TEXT]


def main(channel: Channel, peers: list[socket.socket]) -> None:
    """Examine one response: first comes the request, last goes the report, between them the candidate's words."""
    del peers
    request = task_files.receive(channel)
    task_files.importable()
    channel.send({"report": Examiner(channel).examine(request)})
