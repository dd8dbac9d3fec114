"""What a query is made of, by sqlglot: the ground of partial credit, never of equality.

Spellings that mean the same are made equal: case, aliases, the order of conjuncts and of the sides of a comparison,
BETWEEN, IN with one value, joins by comma or USING. Parsing runs here, in the box, and not in the host, because a
response is hostile text and sqlglot a recursive parser: its time is bounded, and what it makes of a text that it cannot
take is no description instead of a fault.
"""

import logging
import signal
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import sqlglot
from sqlglot import dialects, exp
from sqlglot.errors import SqlglotError

for _dialect in dialects.DIALECTS:  # loaded now instead of when used: in a cell their files may be out of reach
    getattr(dialects, _dialect)

logging.getLogger("sqlglot").disabled = True  # its warnings quote the query, and nobody asked for them
T = TypeVar("T")
_MAX_CHARACTERS = 20_000
_MAX_DEPTH = 60
_MAX_PARTS = 200
_SECONDS = 1.0
FAULTS = (SqlglotError, RecursionError, AttributeError, TypeError, ValueError, KeyError, IndexError)
_DRAWING = (exp.Column, exp.Star, exp.Query, exp.AggFunc, exp.Window)
_UNKNOWN_AGGREGATES = frozenset({"total", "percentile", "median", "string_agg", "group_concat"})
"""Those that sqlglot may not know for aggregates."""
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {exp.GT: exp.LT, exp.GTE: exp.LTE}


class _TooSlowError(ValueError):
    """sqlglot took too long."""


def describe(query: str) -> dict[str, Any]:
    """Return ``features``, the parts of ``query`` by kind as sorted texts, its ``literals``, and if it is ``constant``.

    Constant is a query whose rows, if it returns any, are made without a column, a subquery or an aggregate. What
    cannot be parsed has no features, no literals, and is not constant.

    The kinds are tables, joins, columns, filters, grouping, aggregation and ordering.
    """
    if too_complex(query):
        return {"features": None, "literals": [], "constant": False}
    try:
        return bounded(lambda: _description(sqlglot.parse_one(query, read="sqlite")))
    except FAULTS:
        return {"features": None, "literals": [], "constant": False}


def order_keys(query: str) -> str | None:
    """Return ``query`` with its outermost sort keys as further columns; None where that cannot be said."""
    if too_complex(query) or not orders(query):
        return None
    try:
        return bounded(lambda: _with_keys(sqlglot.parse_one(query, read="sqlite")))
    except FAULTS:
        return None


def orders(query: str) -> bool:
    """Return whether the outermost query has an ORDER BY: the two words outside every parenthesis, text and comment."""
    depth, previous = 0, ""
    for word in _words(query):
        depth += (word == "(") - (word == ")")
        if depth == 0 and previous == "order" and word == "by":
            return True
        previous = word
    return False


def bounded(work: Callable[[], T]) -> T:
    """Return what ``work`` returns within a second of CPU time. Raises ValueError."""

    def stop(*_: object) -> None:
        raise _TooSlowError("parsing took too long")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def _words(query: str) -> Iterable[str]:
    """Yield words in lower case, parentheses and other single characters; neither quoted text nor comments."""
    i, size = 0, len(query)
    while i < size:
        character = query[i]
        if character.isalnum() or character == "_":
            start = i
            while i < size and (query[i].isalnum() or query[i] == "_"):
                i += 1
            yield query[start:i].lower()
            continue
        if end := _skip(query, i):
            i = end
            continue
        if not character.isspace():
            yield character
        i += 1


def _skip(query: str, start: int) -> int:
    """Return the end of the quoted text or comment that begins at ``start``; 0 when none does."""
    for opening, closing in (("'", "'"), ('"', '"'), ("`", "`"), ("[", "]"), ("--", "\n"), ("/*", "*/")):
        if query.startswith(opening, start):
            end = query.find(closing, start + len(opening))
            return len(query) if end < 0 else end + len(closing)
    return 0


def _with_keys(tree: exp.Expr) -> str | None:
    order = tree.args.get("order")
    if not isinstance(tree, exp.Select) or order is None or tree.args.get("distinct"):
        return None
    shown = {item.alias.lower(): item.this for item in tree.expressions if isinstance(item, exp.Alias)}
    keys: list[exp.Expr] = []
    for item in order.expressions:
        key = item.this
        if isinstance(key, exp.Literal) and not key.is_string:
            key = _unaliased(tree.expressions[int(key.this) - 1])
        elif isinstance(key, exp.Column) and not key.table:
            key = shown.get(key.name.lower(), key)
        keys.append(exp.alias_(key.copy(), f"sort_key_{len(keys)}"))
    return tree.copy().select(*keys, append=True).sql("sqlite")


def _description(tree: exp.Expr) -> dict[str, Any]:
    written = (node for node in tree.find_all(exp.Literal, exp.Identifier) if _may_be_text(node))
    literals = [node.this for node, _ in zip(written, range(_MAX_PARTS), strict=False)]
    order, constant = tree.args.get("order"), _is_constant(tree)
    tree = _plain(tree)
    outer = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
    where = [part for kind in (exp.Where, exp.Having) for node in tree.find_all(kind) for part in _conjuncts(node.this)]
    defined = {table.alias.lower() for table in tree.find_all(exp.CTE)}
    features = {
        "tables": _texts(node for node in tree.find_all(exp.Table) if node.name.lower() not in defined),
        "joins": _texts([*_join_conditions(tree), *(part for part in where if _is_join(part))]),
        "columns": _texts(_unaliased(item) for item in (outer.expressions if outer else ())),
        "filters": _texts(bound for part in where if not _is_join(part) for bound in _bounds(part)),
        "grouping": _texts(item for group in tree.find_all(exp.Group) for item in group.expressions),
        "aggregation": _texts(tree.find_all(exp.AggFunc)),
        "ordering": _texts(order.expressions if order else (), ordered=True),
    }
    return {"features": features, "literals": literals, "constant": constant}


def _is_constant(tree: exp.Expr) -> bool:
    """Return whether every branch of the outermost query only puts out what is written in it."""
    branches = [tree]
    while any(isinstance(branch, exp.SetOperation | exp.Subquery) for branch in branches):
        branches = [part for branch in branches for part in _branches(branch)]
    return all(
        isinstance(branch, exp.Select) and not any(_draws(node) for item in branch.expressions for node in item.walk())
        for branch in branches
    )


def _may_be_text(node: exp.Expr) -> bool:
    """Return whether ``node`` is a literal, or a quoted name, text to SQLite where no column has it."""
    return isinstance(node, exp.Literal) or bool(node.args.get("quoted"))


def _draws(node: exp.Expr) -> bool:
    """Return whether ``node`` brings data into an expression."""
    return isinstance(node, _DRAWING) or (isinstance(node, exp.Anonymous) and node.name.lower() in _UNKNOWN_AGGREGATES)


def _branches(tree: exp.Expr) -> list[exp.Expr]:
    if isinstance(tree, exp.SetOperation):
        return [tree.left, tree.right]
    return [tree.this] if isinstance(tree, exp.Subquery) else [tree]


def _plain(tree: exp.Expr) -> exp.Expr:
    """Return ``tree`` without what only spells: qualifiers of columns, aliases of tables, comments."""
    for column in list(tree.find_all(exp.Column)):
        column.set("table", None)
    for table in list(tree.find_all(exp.Table)):
        table.set("alias", None)
    return tree


def _join_conditions(tree: exp.Expr) -> Iterable[exp.Expr]:
    for join in tree.find_all(exp.Join):
        yield from _conjuncts(join.args.get("on"))
        for name in join.args.get("using") or ():
            column = exp.column(name.name)
            yield exp.EQ(this=column, expression=column.copy())


def _is_join(node: exp.Expr) -> bool:
    return isinstance(node, exp.EQ) and isinstance(node.this, exp.Column) and isinstance(node.expression, exp.Column)


def _conjuncts(node: exp.Expr | None) -> list[exp.Expr]:
    if node is None:
        return []
    node = node.unnest()
    return list(node.flatten()) if isinstance(node, exp.And) else [node]


def _bounds(node: exp.Expr) -> list[exp.Expr]:
    """Return BETWEEN as its two bounds, IN with one value as an equation."""
    match node:
        case exp.Between():
            low = exp.GTE(this=node.this, expression=node.args["low"])
            return [low, exp.LTE(this=node.this.copy(), expression=node.args["high"])]
        case exp.In(expressions=[only]):
            return [exp.EQ(this=node.this, expression=only)]
    return [node]


def _unaliased(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Alias) else node


def _texts(nodes: Iterable[exp.Expr], *, ordered: bool = False) -> list[str]:
    texts = [_text(node) for node, _ in zip(nodes, range(_MAX_PARTS), strict=False)]
    return texts if ordered else sorted(set(texts))


def _text(node: exp.Expr) -> str:
    """Return ``node`` as text in which a = b is b = a, and b > a is a < b."""
    if isinstance(node, exp.EQ | exp.NEQ):
        first, second = sorted((_text(node.this), _text(node.expression)))
        return f"{first} {'=' if isinstance(node, exp.EQ) else '<>'} {second}"
    if type(node) in _MIRRORED:
        node = _MIRRORED[type(node)](this=node.expression, expression=node.this)
    if isinstance(node, exp.Ordered):
        return _text(node.this) + (" desc" if node.args.get("desc") else "")
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Literal):
        return "count(*)"
    return node.sql("sqlite", normalize=True, comments=False).lower().replace('"', "")


def too_complex(query: str) -> bool:
    """Return whether ``query`` is longer or deeper than a recursive parser should be given."""
    depth = deepest = 0
    for character in query:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return len(query) > _MAX_CHARACTERS or deepest > _MAX_DEPTH
