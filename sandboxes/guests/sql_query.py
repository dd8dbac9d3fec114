"""Runs one query on fresh copies of databases, and says what it is made of.

Payload: ``databases`` (each ``{"sql": ...}`` or ``{"file": hex}``), ``derived`` (also on copies with rows deleted),
``queries``, ``dialect``. Report: ``queries``, for each ``results`` (one per database: ``columns`` and ``rows``, or
``error`` and ``kind``) and ``features`` (see `sql_features`). Every result has its own connection and its own copy.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any

from .sql_features import features, translate
from .values import encode

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_FORBIDDEN_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "random", "randomblob"}
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 8 << 20,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 500,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 100_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}
_MAX_ROWS = 20_000
_MAX_BYTES = 4 << 20
_STEPS = 100_000
_MAX_CALLS = 2_000
_HEAP_BYTES = 128 << 20


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Run every query on every database."""
    return {"queries": [_query(text, payload) for text in payload["queries"]]}


def _query(text: str, payload: dict[str, Any]) -> dict[str, Any]:
    try:
        query = translate(text, payload["dialect"]) if payload["dialect"] else text
    except ValueError as error:
        return {"results": [{"error": str(error), "kind": "syntax"}], "features": None}
    results = [_execute(query, connection) for connection in _databases(payload)]
    return {"results": results, "features": features(query)}


def _databases(payload: dict[str, Any]) -> Iterator[sqlite3.Connection]:
    for source in payload["databases"]:
        yield _build(source)
    for remainder in (0, 1) if payload["derived"] else ():
        connection = _build(payload["databases"][0])
        _delete_rows(connection, remainder)
        yield connection


class DatabaseError(Exception):
    """The task's own database cannot be built."""


def _build(source: dict[str, str]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    try:
        if "file" in source:
            connection.deserialize(bytes.fromhex(source["file"]))
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        else:
            connection.executescript(source["sql"])
        connection.commit()
    except sqlite3.Error as error:
        raise DatabaseError(str(error)) from None
    return connection


def _delete_rows(connection: sqlite3.Connection, remainder: int) -> None:
    """Delete every other row of every table: a valid state of most schemas, with other answers to most questions."""
    connection.execute("PRAGMA foreign_keys = OFF")
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    for (name,) in tables.fetchall():
        quoted = '"' + name.replace('"', '""') + '"'
        try:
            connection.execute(f"DELETE FROM {quoted} WHERE rowid % 2 = ?", (remainder,))  # noqa: S608 - a quoted name
        except sqlite3.Error:
            continue  # a table without rowid, or with a trigger that objects, stays as it is
    connection.commit()


def _execute(query: str, connection: sqlite3.Connection) -> dict[str, Any]:
    forbidden: list[str] = []
    _confine(connection, forbidden)
    try:
        cursor = connection.execute(query)
        rows = _fetch(cursor)
        columns = [column[0] for column in cursor.description or ()]
    except (sqlite3.Error, sqlite3.Warning, OverflowError, MemoryError, ValueError) as error:
        kind = "forbidden" if forbidden else _kind(str(error))
        return {"error": forbidden[0] if forbidden else str(error) or type(error).__name__, "kind": kind}
    finally:
        connection.close()
    return {"columns": columns, "rows": encode(rows)}


def _confine(connection: sqlite3.Connection, forbidden: list[str]) -> None:
    """From here on the connection reads, within bounds."""
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute(f"PRAGMA hard_heap_limit = {_HEAP_BYTES}")
    for name, value in _LIMITS.items():
        connection.setlimit(name, value)
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    calls = iter(range(_MAX_CALLS))
    connection.set_progress_handler(lambda: next(calls, None) is None, _STEPS)

    def authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
        name = (second or "").lower() if action == sqlite3.SQLITE_FUNCTION else ""
        if action in _ALLOWED and name not in _FORBIDDEN_FUNCTIONS:
            return sqlite3.SQLITE_OK
        forbidden.append(
            f"{_ACTIONS.get(action, f'action {action}')} {first or second or ''}".strip() + " is not allowed"
        )
        return sqlite3.SQLITE_DENY

    connection.set_authorizer(authorize)


_ACTIONS = {
    getattr(sqlite3, f"SQLITE_{name}"): name.replace("_", " ")
    for name in (
        "ALTER_TABLE", "ANALYZE", "ATTACH", "CREATE_INDEX", "CREATE_TABLE", "CREATE_TEMP_TABLE", "CREATE_TRIGGER",
        "CREATE_VIEW", "DELETE", "DETACH", "DROP_INDEX", "DROP_TABLE", "DROP_TRIGGER", "DROP_VIEW", "FUNCTION",
        "INSERT", "PRAGMA", "REINDEX", "SAVEPOINT", "TRANSACTION", "UPDATE",
    )
}  # fmt: skip


def _fetch(cursor: sqlite3.Cursor) -> list[list[Any]]:
    rows: list[list[Any]] = []
    size = 0
    for row in cursor:
        rows.append(list(row))
        size += sum(len(cell) if isinstance(cell, str | bytes) else 8 for cell in row)
        if len(rows) > _MAX_ROWS or size > _MAX_BYTES:
            raise OverflowError(f"the result has more than {_MAX_ROWS} rows or {_MAX_BYTES >> 20} MiB")
    return rows


def _kind(message: str) -> str:
    if message.startswith("interrupted"):
        return "time"
    if "result has more than" in message:
        return "output"
    if "out of memory" in message:
        return "memory"
    return "syntax" if "syntax error" in message or "incomplete input" in message else "runtime"
