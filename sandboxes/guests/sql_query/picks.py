"""Which columns a query compares with values that are written into it: how rows are picked by keys known beforehand."""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlglot
from sqlglot import exp

from .features import FAULTS, bounded, too_complex

ANY = "*"
"""Instead of a column, for values in a list of rows of their own, to which any column may be joined."""
_MAX_PICKS = 200
_CONNECTORS = (exp.And, exp.Or, exp.Not, exp.Paren, exp.Xor)


def picks(query: str) -> list[list[Any]]:
    """Return ``[column, values]`` for each condition on one column in which values are written down.

    Names are in lower case, without their tables; ``column`` is `ANY` for values that stand in rows of their own.
    """
    if too_complex(query):
        return []
    try:
        return bounded(lambda: _picks(sqlglot.parse_one(query, read="sqlite")))
    except FAULTS:
        return []


def _picks(tree: exp.Expr) -> list[list[Any]]:
    found = [[column, values] for column, values in _conditions(tree)]
    lists = [node for node in tree.find_all(exp.Values, exp.Select) if _has_rows_of_its_own(node)]
    found += [[ANY, values] for node in lists if (values := _literals(node))]
    sources = [(node.this, node.parent) for node in tree.find_all(exp.From, exp.Join) if node.this is not None]
    found += [[ANY, values] for source, query in sources if (values := _literals(source, of=query))]
    return found[:_MAX_PICKS]


def _conditions(tree: exp.Expr) -> Iterator[tuple[str, list[str]]]:
    for node in tree.find_all(exp.Where, exp.Having, exp.If, exp.Join):
        condition = node.args.get("on") if isinstance(node, exp.Join) else node.this
        for leaf in _leaves(condition):
            query = leaf.find_ancestor(exp.Select)
            own = [column for column in leaf.find_all(exp.Column) if column.find_ancestor(exp.Select) is query]
            columns = {column.name.lower() for column in own}
            if any(column.find_ancestor(exp.AggFunc, exp.Select) is not query for column in own):
                continue  # how many there are, or which is the last: that picks no row by its key
            if len(columns) == 1 and (values := _literals(leaf, of=query)):
                yield columns.pop(), values


def _leaves(node: exp.Expr | None) -> Iterable[exp.Expr]:
    pending = [node] if node is not None else []
    while pending:
        current = pending.pop()
        if isinstance(current, _CONNECTORS):
            pending += [part for part in (current.this, current.args.get("expression")) if part is not None]
        else:
            yield current


def _has_rows_of_its_own(node: exp.Expr) -> bool:
    return isinstance(node, exp.Values) or not (node.args.get("from_") or node.args.get("from"))


def _literals(node: exp.Expr, *, of: exp.Expr | None = None) -> list[str]:
    """Return the values written in ``node``; with ``of``, only those of that query itself, not of its subqueries."""
    literals = (item for item in node.find_all(exp.Literal) if of is None or item.find_ancestor(exp.Select) is of)
    return [literal.this for literal, _ in zip(literals, range(_MAX_PICKS), strict=False)]
