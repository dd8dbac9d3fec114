"""Translates other dialects to SQLite's, by sqlglot; what has no faithful translation is said to have none."""

import functools
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import UnsupportedError

from .confinement import FUNCTIONS
from .features import FAULTS, bounded, too_complex

_STRFTIME = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d", "HOUR": "%H", "MINUTE": "%M", "SECOND": "%S", "DOY": "%j"}
_PARTS: dict[type[exp.Expr], str] = {
    exp.Year: "YEAR",
    exp.Quarter: "QUARTER",
    exp.Month: "MONTH",
    exp.Day: "DAY",
    exp.DayOfMonth: "DAY",
    exp.DayOfYear: "DOY",
    exp.Hour: "HOUR",
    exp.Minute: "MINUTE",
    exp.Second: "SECOND",
}
"""Functions that many dialects have for EXTRACT."""
_ANY_CASE_LIKE = frozenset({"sqlite", "mysql", "tsql", "singlestore", "doris", "starrocks"})


class UnreadableError(ValueError):
    """The text is no SQL of its dialect."""


class UntranslatableError(ValueError):
    """The text is SQL of its dialect that SQLite cannot say."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A query in SQLite's SQL."""

    query: str
    unknown_functions: frozenset[str] = frozenset()
    """Functions, in lower case, that the dialect is not known to have."""
    case_sensitive_like: bool = False
    """Whether LIKE tells cases apart, as in most dialects but not in SQLite."""

    def explains(self, message: str) -> bool:
        """Return whether SQLite's complaint ``message`` is about the translation instead of the query."""
        if "no such function: " in message:
            return message.rpartition(": ")[2].lower() not in self.unknown_functions
        return any(words in message for words in ("syntax error", "wrong number of arguments", "misuse of"))


def translate(query: str, dialect: str) -> Translation:
    """Return ``query``, one or more statements, in SQLite's SQL. Raises `UnreadableError`, `UntranslatableError`."""
    if not sqlglot.Dialect.get(dialect.partition(",")[0].strip().lower()):
        raise UntranslatableError(f"{dialect!r} is no dialect that is known")
    if too_complex(query):
        raise UnreadableError("the query is too long or too deep to be translated")
    try:
        trees = [tree for tree in bounded(lambda: sqlglot.parse(query, read=dialect)) if tree]
    except FAULTS as error:
        raise UnreadableError(f"not {dialect}: {str(error)[:300]}") from None
    if not trees:
        raise UnreadableError("no statement")
    unknown = {node.name.lower() for tree in trees for node in tree.find_all(exp.Anonymous)}
    try:
        texts = bounded(lambda: [_written(tree, dialect) for tree in trees])
    except (*FAULTS, UnsupportedError) as error:
        raise UntranslatableError(f"{dialect} that SQLite cannot say: {str(error)[:300]}") from None
    return Translation(";\n".join(texts), frozenset(unknown), dialect.lower() not in _ANY_CASE_LIKE)


def _written(tree: exp.Expr, dialect: str) -> str:
    if dialect.lower() == "tsql" and any(_joins_texts(node) for node in tree.find_all(exp.Add)):
        raise UnsupportedError("+ between texts")
    plain = tree.transform(_extraction)
    for node in plain.find_all(exp.Func):
        if isinstance(node, exp.Anonymous | exp.Binary | exp.Exists):
            continue
        name, opened, _ = node.sql("sqlite").partition("(")
        if opened and name.isidentifier() and name.lower() not in FUNCTIONS:
            raise UnsupportedError(f"{name}()")
    return str(plain.sql("sqlite", unsupported_level=sqlglot.ErrorLevel.RAISE))


def _joins_texts(node: exp.Add) -> bool:
    return any(isinstance(side, exp.Literal) and side.is_string for side in (node.this, node.expression))


def _extraction(node: exp.Expr) -> exp.Expr:
    """Return parts of dates as the numbers that strftime gives, and CONCAT as ``||``; other nodes as they are."""
    if isinstance(node, exp.Extract):
        return _part(node.this.name.upper(), node.expression)
    if (part := _PARTS.get(type(node))) is not None:
        return _part(part, node.this)
    if isinstance(node, exp.Anonymous) and node.name.lower() == "date_part" and len(node.expressions) == 2:
        return _part(node.expressions[0].name.upper(), node.expressions[1])
    if isinstance(node, exp.Concat):
        return _joined(node)
    if isinstance(node, exp.Contains | exp.StartsWith):
        place = exp.func("INSTR", node.this.copy(), node.expression.copy(), dialect="sqlite")
        one = exp.Literal.number(1)
        return exp.paren(exp.GTE(this=place, expression=one) if isinstance(node, exp.Contains) else place.eq(one))
    return node


def _part(name: str, date: exp.Expr) -> exp.Expr:
    if name == "QUARTER":
        return exp.paren(exp.Div(this=exp.paren(_part("MONTH", date) + 2), expression=exp.Literal.number(3)))
    if name not in _STRFTIME:
        raise UnsupportedError(f"EXTRACT({name})")
    text = exp.func("STRFTIME", exp.Literal.string(_STRFTIME[name]), date.copy(), dialect="sqlite")
    return exp.cast(text, "INTEGER")


def _joined(node: exp.Concat) -> exp.Expr:
    """Return CONCAT as ``||``; in dialects where it passes over NULL, with empty texts in their place."""
    empty = exp.Literal.string("")
    parts = [
        exp.Coalesce(this=part.copy(), expressions=[empty.copy()]) if node.args.get("coalesce") else part.copy()
        for part in node.expressions
    ]
    return exp.paren(functools.reduce(lambda left, right: exp.DPipe(this=left, expression=right), [empty, *parts]))
