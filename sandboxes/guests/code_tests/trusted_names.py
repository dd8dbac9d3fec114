"""Which names of a test program are the task's own, and which the response may give.

A response that defines ``abs``, ``math`` or a helper of the prompt must not thereby decide what a test computes with:
builtins, modules of the standard library and what the prefix defines beside the entry point stay the task's.
"""

import ast
import builtins
import importlib.util
import io
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout, suppress
from typing import Any

_ALIASES = {"np": "numpy", "pd": "pandas"}
"""Names by which everybody calls some libraries."""


def space_for(tree: ast.Module, offered: Mapping[str, Any], *, prefix: str, entry_point: str) -> dict[str, Any]:
    """Return the names that the test program ``tree`` sees, given what the response ``offered``."""
    used = free_names(tree)
    trusted = {**_modules(tree, used - {entry_point}), **_prefix_names(prefix, entry_point, offered)}
    shadows = _allowed_shadows(used - trusted.keys(), entry_point)
    allowed = {name for name in offered if not hasattr(builtins, name) or name in shadows} - _ALIASES.keys()
    names = {name: offered[name] for name in offered if name in allowed}
    return {**names, **trusted}


def is_public(name: Any) -> bool:
    """Keep ``__builtins__`` and its like out: the list of names is the candidate's word."""
    return isinstance(name, str) and name.isidentifier() and not name.startswith("__")


def wanted(tree: ast.Module, offered: Mapping[str, Any], solution: str) -> list[str]:
    """Return what ``from solution import *`` gives: what the test program uses and neither it nor Python defines.

    Else a response could bring its own ``pytest`` or ``math``, hooks of the framework, or tests of its own.
    """
    from_solution = [node for node in tree.body if getattr(node, "module", "") == solution]
    own = {name for node in tree.body if node not in from_solution for name in _bound_at_top(node)}
    words = (
        set(re.findall(r"[^\W\d]\w*", ast.unparse(tree)))
        - own
        - _modules(tree, offered.keys() - own).keys()
        - _ALIASES.keys()
    )
    return [name for name in offered if name in words and name[0] != "_" and not hasattr(builtins, name)]


def _bound_at_top(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return iter([node.name])
    return (name for part in ast.walk(node) for name in _bound(part))


def free_names(tree: ast.AST) -> set[str]:
    """Return the names that a program uses without defining them itself."""
    nodes = list(ast.walk(tree))
    used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return used - own_names(nodes)


def own_names(nodes: list[ast.AST]) -> set[str]:
    """Return the names that a program binds, in whatever scope."""
    return {name for node in nodes for name in _bound(node)}


def missing_modules(tree: ast.Module, solution: str) -> list[str]:
    """Return what a program imports at its top and this machine lacks; that is the task's fault, not a response's."""
    names: list[str] = []
    for node in tree.body:
        match node:
            case ast.Import(names=aliases):
                names += [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(name), level=0):
                names.append(name)
    roots = {name.partition(".")[0] for name in names} - {solution}
    return sorted(root for root in roots if importlib.util.find_spec(root) is None)


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from ((alias.asname or alias.name).split(".")[0] for alias in aliases)


def _allowed_shadows(used: set[str], entry_point: str) -> set[str]:
    """Return the builtins' names that the response may define: a task may well ask for a function called ``sum``."""
    if entry_point:
        return {entry_point}
    own = {name for name in used if hasattr(builtins, name)}
    return own if own == used else set()


def _modules(tree: ast.Module, used: set[str]) -> dict[str, Any]:
    """Import the modules that a test uses, as ``math`` in ``math.isclose``, without importing them itself."""
    bases = {
        node.value.id for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    modules = {}
    for name in bases & used & (sys.stdlib_module_names | _ALIASES.keys()):
        with suppress(ImportError):
            modules[name] = importlib.import_module(_ALIASES.get(name, name))
    return modules


def _prefix_names(prefix: str, entry_point: str, offered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the prefix defines: its imports, and its functions and constants unless it defines classes.

    Objects of classes cross to the response only as its own, so there the response's copies are used.
    """
    body = _parsed(prefix)
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    kept = imports if any(isinstance(node, ast.ClassDef) for node in body) else body
    space: dict[str, Any] = {"__name__": "prefix"}
    with redirect_stdout(io.StringIO()):
        for node in kept:
            if not _is_stub(node, entry_point):
                with suppress(Exception):  # what needs the response, or a library that is not here
                    exec(compile(ast.Module([node], []), "<prefix>", "exec"), space)  # noqa: S102 - the task author's
    names = {name: value for name, value in space.items() if name[:2] != "__"}
    if entry_point in offered:
        space[entry_point] = offered[entry_point]
    return names


def _parsed(prefix: str) -> list[ast.stmt]:
    for text in (prefix, f"{prefix}\n    pass\n"):
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.parse(text).body
    return []


def _is_stub(node: ast.stmt, entry_point: str) -> bool:
    """Return whether a statement is a function that the response is to write."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    empty = all(
        isinstance(part, ast.Pass | ast.Raise) or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        for part in node.body
    )
    return node.name == entry_point or empty
