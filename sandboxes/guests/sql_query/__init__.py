"""Runs queries on fresh copies of databases, and says what they are made of.

Payload: ``databases`` (each ``{"sql": base64 of UTF-8}`` or ``{"file": base64}``), ``derive`` (also run on those of
`derivation`), ``queries``, ``dialect``, ``writes`` (the queries may change rows, and the tables afterwards are
the result), ``count_steps``, ``reference`` (also say which rows the query's own ORDER BY leaves tied).

Report: ``queries``, for each ``results`` (one per database), ``derived`` (a result by name), ``features``,
``literals`` and ``constant`` (see `features`), ``picks`` of a response (see `picks`), ``keys`` for a reference
(columns that identify rows), and ``ordered`` (has an outermost ORDER BY). A result is ``error``
and ``kind``, or ``tables`` (by name, each ``columns`` and ``rows``; the rows returned are the table ""), ``reads``
(tables read), ``steps`` and, for a reference, ``ties`` (for each row the number of its group). Cells are null, numbers,
strings, or as `values` encodes them.

Every result has its own connection to its own copy; a response and a reference are never in the same payload.
"""

import base64
import contextlib
import json
import sqlite3
from collections.abc import Callable
from typing import Any

from ..values import encode
from .confinement import Confinement
from .derivation import added_rows, fewer_rows, moved_values, unique_columns
from .features import describe, order_keys, orders
from .picks import picks
from .translation import Translation, UnreadableError, UntranslatableError, translate
from .warmth import warm

_MAX_ROWS = 20_000
_MAX_REPORT_BYTES = 6 << 20
_MAX_STATEMENTS = 20
_FAILURES = (sqlite3.Error, sqlite3.Warning, OverflowError, MemoryError, ValueError)


class DatabaseError(Exception):
    """The task's own database cannot be built."""


class OutputError(Exception):
    """A result is too large."""


class Budget:
    """How much the report may still hold: all results together must fit into one frame."""

    def __init__(self) -> None:
        self.left = _MAX_REPORT_BYTES

    def spend(self, row: list[Any]) -> None:
        """Count ``row``. Raises `OutputError`."""
        self.left -= len(json.dumps(row)) + 2
        if self.left < 0:
            raise OutputError(f"the results have more than {_MAX_REPORT_BYTES >> 20} MiB")


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Run every query on every database."""
    with contextlib.ExitStack() as stack:
        databases = [_build(source, stack) for source in payload["databases"]]
        budget = Budget()
        return {"queries": [_query(text, payload, databases, budget) for text in payload["queries"]]}


def _query(text: str, payload: dict[str, Any], databases: list[sqlite3.Connection], budget: Budget) -> dict[str, Any]:
    try:
        query = translate(text, payload["dialect"]) if payload["dialect"] else Translation(text)
    except (UnreadableError, UntranslatableError) as error:
        kind = "syntax" if isinstance(error, UnreadableError) else "untranslatable"
        failed = [{"error": str(error), "kind": kind} for _ in databases]
        nothing: dict[str, Any] = {"derived": {}, "features": None, "literals": [], "constant": False, "ordered": False}
        return {"results": failed, "picks": [], "keys": [], **nothing}
    results = [_execute(query, _copy(database), payload, budget) for database in databases]
    runs = all("error" not in result for result in results)
    picked = [] if payload["reference"] else picks(query.query)
    derived = _derived(query, databases[0], payload, budget, picked=bool(picked)) if payload["derive"] and runs else {}
    keys = unique_columns(databases[0]) if payload["reference"] else []
    more = {"ordered": orders(query.query), "picks": picked, "keys": keys, **describe(query.query)}
    return {"results": results, "derived": derived, **more}


def _derived(
    query: Translation, original: sqlite3.Connection, payload: dict[str, Any], budget: Budget, *, picked: bool
) -> dict[str, Any]:
    results = {}
    derivations: list[tuple[str, Callable[[sqlite3.Connection], None]]] = [
        ("fewer_rows_0", lambda copy: fewer_rows(copy, 0)),
        ("fewer_rows_1", lambda copy: fewer_rows(copy, 1)),
        ("fewer_rows_2", lambda copy: fewer_rows(copy, 2)),
        ("moved_values", moved_values),
    ]
    if payload["reference"] or picked:
        derivations.append(("added_rows", added_rows))
    for name, derive in derivations:
        copy = _copy(original)
        derive(copy)
        results[name] = _execute(query, copy, payload, budget)
    return results


def _build(source: dict[str, str], stack: contextlib.ExitStack) -> sqlite3.Connection:
    connection = stack.enter_context(contextlib.closing(sqlite3.connect(":memory:")))
    try:
        if "file" in source:
            image = bytearray(base64.b64decode(source["file"]))
            if image[18:20] == b"\x02\x02":
                image[18:20] = b"\x01\x01"  # a file in WAL mode cannot be opened from memory, and holds the same pages
            connection.deserialize(bytes(image))
        else:
            connection.executescript(base64.b64decode(source["sql"]).decode("utf-8"))
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.commit()
    except sqlite3.Error as error:
        raise DatabaseError(str(error)) from None
    return connection


def _copy(original: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    original.backup(copy)
    return copy


def _execute(
    query: Translation, connection: sqlite3.Connection, payload: dict[str, Any], budget: Budget
) -> dict[str, Any]:
    if query.case_sensitive_like:
        connection.execute("PRAGMA case_sensitive_like = ON")
    confinement = Confinement(connection, writes=payload["writes"], fine_steps=payload["count_steps"])
    before = budget.left
    try:
        if payload["writes"]:
            tables = _state_after(query.query, connection, confinement, budget)
        else:
            tables = {"": _returned(connection.execute(query.query), budget)}
        result = {"tables": tables, "reads": sorted(confinement.reads), "steps": confinement.steps}
        ties = _ties(query.query, connection, tables[""]) if payload["reference"] and not payload["writes"] else None
    except (OutputError, *_FAILURES) as error:
        budget.left = before
        kind = _kind(error, confinement, query if payload["dialect"] else None)
        return {"error": confinement.denied[0] if kind == "forbidden" else _message(error), "kind": kind}
    finally:
        connection.close()
    return result if ties is None else {**result, "ties": ties}


def _message(error: Exception) -> str:
    return str(error) or type(error).__name__


def _kind(error: Exception, confinement: Confinement, translation: Translation | None) -> str:
    message = _message(error)
    if isinstance(error, OutputError):
        return "output"
    if confinement.denied:
        return "forbidden"
    if message.startswith("interrupted"):
        return "time"
    if isinstance(error, MemoryError) or "out of memory" in message:
        return "memory"
    if translation and translation.explains(message):
        return "untranslatable"
    unreadable = ("syntax error", "incomplete input", "unrecognized token", "one statement at a time", "null character")
    return "syntax" if any(words in message for words in unreadable) else "runtime"


def _returned(cursor: sqlite3.Cursor, budget: Budget) -> dict[str, Any]:
    rows: list[list[Any]] = []
    for row in cursor:
        rows.append([_cell(cell) for cell in row])
        budget.spend(rows[-1])
        if len(rows) > _MAX_ROWS:
            raise OutputError(f"the result has more than {_MAX_ROWS} rows")
    return {"columns": [column[0] for column in cursor.description or ()], "rows": rows}


def _cell(cell: Any) -> Any:
    return encode(cell) if isinstance(cell, bytes | float) else cell


def _state_after(
    script: str, connection: sqlite3.Connection, confinement: Confinement, budget: Budget
) -> dict[str, Any]:
    statements = _statements(script)
    if len(statements) > _MAX_STATEMENTS:
        raise ValueError(f"{len(statements)} statements, at most {_MAX_STATEMENTS}: syntax error")
    for statement in statements:
        cursor = connection.execute(statement)
        for _ in cursor:  # a statement with RETURNING is done when its rows are read
            pass
    reads = set(confinement.reads)
    names = [name for (name,) in connection.execute(_TABLES).fetchall()]
    tables = {name: _returned(connection.execute(f"SELECT * FROM {quoted(name)}"), budget) for name in names}  # noqa: S608 - a quoted name
    confinement.reads = reads
    return tables


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"


def quoted(name: str) -> str:
    """Return ``name`` as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def _statements(script: str) -> list[str]:
    """Split ``script`` at the semicolons that end statements."""
    statements, begun = [], ""
    for piece in script.split(";")[:10_000]:
        begun += piece + ";"
        if sqlite3.complete_statement(begun):
            statements.append(begun)
            begun = ""
    if begun.strip("; \t\r\n"):
        statements.append(begun)
    return [statement for statement in statements if statement.strip("; \t\r\n")]


def _ties(query: str, connection: sqlite3.Connection, table: dict[str, Any]) -> list[int] | None:
    """Return for each row the number of its group of equal sort keys; None when they cannot be told."""
    keyed = order_keys(query)
    if keyed is None:
        return None
    width = len(table["columns"])
    try:
        rows = [list(row) for row in connection.execute(keyed).fetchmany(_MAX_ROWS + 1)]
    except _FAILURES:
        return None
    if [[_cell(cell) for cell in row[:width]] for row in rows] != table["rows"]:
        return None
    groups: list[int] = []
    for i, row in enumerate(rows):
        groups.append(0 if i == 0 else groups[-1] + (row[width:] != rows[i - 1][width:]))
    return groups


warm(translate, describe, orders, order_keys, picks)
