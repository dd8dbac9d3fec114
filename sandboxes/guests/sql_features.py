"""What a query is made of, by sqlglot: the ground of partial credit, never of a verdict.

Spellings that mean the same are made equal: case of identifiers, aliases of tables, order of conjuncts, INNER.
"""

from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError, UnsupportedError

_MAX_CHARACTERS = 20_000
_MAX_DEPTH = 80
_MAX_PARTS = 200


def translate(query: str, dialect: str) -> str:
    """Return ``query`` in SQLite's SQL. Raises ValueError when that is not possible."""
    if _too_complex(query):
        raise ValueError("the query is too long or too deep to be translated")
    try:
        statements = sqlglot.transpile(query, read=dialect, write="sqlite", unsupported_level=sqlglot.ErrorLevel.RAISE)
    except (SqlglotError, UnsupportedError, RecursionError, ValueError) as error:
        raise ValueError(f"{dialect}: {str(error)[:300]}") from None
    if len(statements) != 1:
        raise ValueError(f"{len(statements)} statements instead of one")
    return statements[0]


def features(query: str) -> dict[str, Any] | None:
    """Return the parts of ``query`` by kind, as sorted texts; None when sqlglot does not understand it."""
    if _too_complex(query):
        return None
    try:
        tree = sqlglot.parse_one(query, read="sqlite")
        return _features(tree)
    except (SqlglotError, RecursionError, AttributeError, TypeError, ValueError):
        return None


def _features(tree: exp.Expr) -> dict[str, Any]:
    aliases = {table.alias.lower(): table.name.lower() for table in tree.find_all(exp.Table) if table.alias}
    for column in tree.find_all(exp.Column):
        if column.table:
            column.set("table", exp.to_identifier(aliases.get(column.table.lower(), column.table.lower())))
    outer = tree.find(exp.Select) if not isinstance(tree, exp.Select) else tree
    order = tree.args.get("order")
    return {
        "tables": _texts(exp.to_identifier(table.name) for table in tree.find_all(exp.Table)),
        "joins": _texts(on for join in tree.find_all(exp.Join) for on in _conjuncts(join.args.get("on"))),
        "columns": _texts(_unaliased(item) for item in (outer.expressions if outer else ())),
        "filters": _texts(
            part for kind in (exp.Where, exp.Having) for node in tree.find_all(kind) for part in _conjuncts(node.this)
        ),
        "grouping": _texts(item for group in tree.find_all(exp.Group) for item in group.expressions),
        "aggregation": _texts(tree.find_all(exp.AggFunc)),
        "ordering": _texts(order.expressions if order else (), ordered=True),
        "ordered": order is not None,
    }


def _conjuncts(node: exp.Expr | None) -> list[exp.Expr]:
    if node is None:
        return []
    node = node.unnest()
    return list(node.flatten()) if isinstance(node, exp.And) else [node]


def _unaliased(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Alias) else node


def _texts(nodes: Any, *, ordered: bool = False) -> list[str]:
    texts = [_text(node) for node, _ in zip(nodes, range(_MAX_PARTS), strict=False)]
    return texts if ordered else sorted(set(texts))


def _text(node: exp.Expr) -> str:
    if isinstance(node, exp.EQ | exp.NEQ):  # a = b is b = a
        sides = sorted((node.this.sql("sqlite", normalize=True), node.expression.sql("sqlite", normalize=True)))
        return f"{sides[0]} {'=' if isinstance(node, exp.EQ) else '<>'} {sides[1]}".lower()
    return node.sql("sqlite", normalize=True, comments=False).lower()


def _too_complex(query: str) -> bool:
    depth = deepest = 0
    for character in query:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return len(query) > _MAX_CHARACTERS or deepest > _MAX_DEPTH
