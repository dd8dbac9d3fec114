"""Makes decoys of tests: copies that right code must fail, and that look like what they were made of.

In each test one statement decides: the last of its body that can be decided upon. What it expects is changed there: a
literal, also one bound to the name that is compared (by an assignment, a loop or ``parametrize``), or an exception's
class. Where there is none, the comparison is turned around. Either way, what passes the test fails its decoy.
"""

import ast
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from .perturbation import callee, is_literal, other_exception, perturb

_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.Is: ast.IsNot,
}
_FLIPPED |= {after: before for before, after in _FLIPPED.items()}
_PAIRS = {
    "assertEqual": "assertNotEqual",
    "assertAlmostEqual": "assertNotAlmostEqual",
    "assertTrue": "assertFalse",
    "assertIs": "assertIsNot",
    "assertIn": "assertNotIn",
    "assertIsNone": "assertIsNotNone",
    "assertIsInstance": "assertNotIsInstance",
    "assertGreater": "assertLessEqual",
    "assertLess": "assertGreaterEqual",
    "assertRegex": "assertNotRegex",
    "assert_called": "assert_not_called",
    "assert_called_once": "assert_not_called",
}
_TURNED = {**{after: before for before, after in _PAIRS.items()}, **_PAIRS}
_EQUALITIES = frozenset(
    (
        *("assertEqual", "assertAlmostEqual", "assertListEqual", "assertTupleEqual", "assertDictEqual"),
        *("assertSetEqual", "assertSequenceEqual", "assertMultiLineEqual", "assertCountEqual", "assert_equal"),
        *("assert_array_equal", "assert_allclose", "assert_almost_equal", "assert_array_almost_equal"),
        *("assert_called_with", "assert_called_once_with", "assert_any_call", "assert_has_calls"),
        *("assert_awaited_with", "assert_awaited_once_with"),
    )
)
_COMPARING = ("allclose", "array_equal", "assert", "check", "expect", "isclose", "verify")
_TOLERANT = ("lmost", "close")
_RAISES = ("raises", "assertRaises", "assertRaisesRegex")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Versions:
    """Two versions of a test file. Each test stands as written in one of them, as a decoy in the other."""

    codes: tuple[str, str]
    honest: dict[str, int]
    """For each test function's qualified name, which version has it as written."""
    undecided: list[str]
    """Tests without anything that could be changed."""


def versions(code: str, dice: random.Random) -> Versions:
    """Return two versions of the test file ``code``; ``dice`` decides which has the decoy. Raises SyntaxError."""
    trees = (ast.parse(code), ast.parse(code))
    honest: dict[str, int] = {}
    undecided = []
    for pair in zip(_tests(trees[0]), _tests(trees[1]), strict=True):
        (name, _, _), side = pair[0], dice.randrange(2)
        honest[name] = side
        _, function, around = pair[1 - side]
        if not _Spoiler(function, around, dice).spoil():
            undecided.append(name)
    first, second = (ast.unparse(ast.fix_missing_locations(tree)) for tree in trees)
    return Versions((first, second), honest, undecided)


def _tests(tree: ast.Module) -> Iterator[tuple[str, Function, list[ast.expr]]]:
    """Yield each test function: its qualified name, itself, and the decorators of its classes."""
    pending: list[tuple[str, list[ast.stmt], list[ast.expr]]] = [("", tree.body, [])]
    while pending:
        prefix, body, around = pending.pop(0)
        for node in body:
            if isinstance(node, Function) and node.name.startswith("test"):
                yield prefix + node.name, node, around
            elif isinstance(node, ast.ClassDef):
                pending.append((f"{prefix}{node.name}.", node.body, [*around, *node.decorator_list]))


class _Spoiler:
    """Changes one test so that right code fails it."""

    def __init__(self, function: Function, around: list[ast.expr], dice: random.Random) -> None:
        self._function = function
        self._decorators = [*function.decorator_list, *around]
        self._dice = dice

    def spoil(self) -> bool:
        """Change the last statement of the body that decides something; False when there is none."""
        body = self._function.body
        return any(self._statement(body, at) for at in reversed(range(len(body))))

    def _statement(self, body: list[ast.stmt], at: int) -> bool:
        match body[at]:
            case node if _is_failure(node):
                return False
            case ast.Assert() as node:
                node.test = self._refuted(node.test)
                return True
            case ast.Expr(value=ast.Call() as call) | ast.Expr(value=ast.Await(value=ast.Call() as call)):
                return self._call(call)
            case ast.With(items=items) | ast.AsyncWith(items=items) if self._raises(items):
                return True
            case ast.If() | ast.For() | ast.While() | ast.With() | ast.AsyncWith() | ast.AsyncFor() | ast.Try() as node:
                return self._blocks(node)
        return False

    def _blocks(self, node: ast.stmt) -> bool:
        """Change what decides in each block of a compound statement: any of them may be the one that runs."""
        blocks = [block for name in ("body", "orelse", "finalbody") if (block := getattr(node, name, None))]
        if isinstance(node, ast.Try) and any(_is_failure(part) for block in blocks for part in block):
            for handler in node.handlers:
                handler.type = other_exception(handler.type or ast.Name("Exception", ast.Load()), self._dice)
            return bool(node.handlers)
        changed = [any(self._statement(block, at) for at in reversed(range(len(block)))) for block in blocks]
        return any(changed)

    def _raises(self, items: list[ast.withitem]) -> bool:
        for item in items:
            call = item.context_expr
            if isinstance(call, ast.Call) and callee(call) in _RAISES and call.args:
                call.args[0] = other_exception(call.args[0], self._dice)
                return True
        return False

    def _call(self, call: ast.Call) -> bool:
        name = callee(call)
        if name in _RAISES and call.args:
            call.args[0] = other_exception(call.args[0], self._dice)
        elif not ((name in _EQUALITIES or name not in _TURNED) and self._changed(call)):
            if name not in _TURNED or not isinstance(call.func, ast.Attribute):
                return False
            call.func.attr = _TURNED[name]
        return True

    def _changed(self, call: ast.Call) -> bool:
        """Change the last argument that is written down, of a call that compares."""
        name = callee(call)
        if name not in _EQUALITIES and not name.startswith(_COMPARING):
            return False
        far = any(word in name for word in _TOLERANT)
        places = [_Place(node, partial(call.args.__setitem__, at)) for at, node in enumerate(call.args)]
        return any(self._change(place.node, place.put, far=far) for place in reversed(places))

    def _refuted(self, test: ast.expr) -> ast.expr:
        """Return a condition that is false where ``test`` is true."""
        match test:
            case ast.Compare(ops=[ast.Eq()]) if self._sides(test):
                return test
            case ast.Compare(ops=[operator], comparators=[_]):
                test.ops = [_FLIPPED[type(operator)]()]
                return test
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return operand
            case ast.BoolOp(op=ast.And(), values=[*first, last]):
                return ast.BoolOp(ast.And(), [*first, self._refuted(last)])
            case ast.Call() if self._changed(test):
                return test
        return ast.UnaryOp(ast.Not(), test)

    def _sides(self, test: ast.Compare) -> bool:
        right = partial(test.comparators.__setitem__, 0)
        return self._change(test.comparators[0], right) or self._change(test.left, partial(setattr, test, "left"))

    def _change(self, node: ast.expr, put: Callable[[ast.expr], None], *, far: bool = False) -> bool:
        if is_literal(node):
            put(perturb(node, self._dice, far=far))
            return True
        if isinstance(node, ast.Call) and callee(node) == "approx" and node.args:
            return self._change(node.args[0], partial(node.args.__setitem__, 0), far=True)
        return isinstance(node, ast.Name) and self._rebind(node.id, far=far)

    def _rebind(self, name: str, *, far: bool) -> bool:
        """Change every value that ``name`` is bound to, if all are written down and nothing else depends on them."""
        uses = [node for node in ast.walk(self._function) if isinstance(node, ast.Name) and node.id == name]
        if sum(isinstance(node.ctx, ast.Load) for node in uses) != 1:
            return False
        places = [*self._assigned(name), *self._looped(name), *self._parametrized(name)]
        if not places or not all(is_literal(place.node) for place in places):
            return False
        for place in places:
            place.put(perturb(place.node, self._dice, far=far))
        return True

    def _assigned(self, name: str) -> Iterator["_Place"]:
        for node in ast.walk(self._function):
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
                yield _Place(node.value, partial(setattr, node, "value"))

    def _looped(self, name: str) -> Iterator["_Place"]:
        for node in ast.walk(self._function):
            if isinstance(node, ast.For) and isinstance(node.iter, ast.List | ast.Tuple):
                targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
                columns = [target.id if isinstance(target, ast.Name) else "" for target in targets]
                yield from _column(node.iter.elts, columns, name, scalar=not isinstance(node.target, ast.Tuple))

    def _parametrized(self, name: str) -> Iterator["_Place"]:
        for decorator in self._decorators:
            match decorator:
                case ast.Call(args=[names, ast.List(elts=rows) | ast.Tuple(elts=rows), *_]) if (
                    callee(decorator) == "parametrize"
                ):
                    columns = _names(names)
                    scalar = len(columns) == 1 and isinstance(names, ast.Constant)
                    yield from _column(rows, columns, name, scalar=scalar)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands in a tree, and how to put another there."""

    node: ast.expr
    put: Callable[[ast.expr], None]


def _names(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [name.strip() for name in text.split(",") if name.strip()]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [str(item.value) if isinstance(item, ast.Constant) else "" for item in items]
    return []


def _column(rows: list[ast.expr], columns: list[str], name: str, *, scalar: bool) -> Iterator[_Place]:
    """Yield where the values of one column stand; ``scalar``: rows are no tuples."""
    if name not in columns:
        return
    for i, row in enumerate(rows):
        wrapped = isinstance(row, ast.Call) and callee(row) == "param"
        cells: list[ast.expr] = row.args if wrapped else getattr(row, "elts", [])  # type: ignore[attr-defined] # a call
        if scalar and not wrapped:
            cells, at = rows, i
        else:
            at = columns.index(name)
        if at < len(cells):
            yield _Place(cells[at], partial(cells.__setitem__, at))
        else:
            yield _Place(row, lambda _: None)  # not written down cell by cell, so no literal either


def _is_failure(node: ast.stmt) -> bool:
    """Return whether a statement says that it must not be reached."""
    match node:
        case ast.Assert(test=ast.Constant()) | ast.Raise():
            return True
        case ast.Expr(value=ast.Call() as call):
            return callee(call) == "fail"
    return False
