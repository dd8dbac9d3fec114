"""Other states of the same database, on which a result that was written down instead of queried gives itself away.

All are made without chance from the rows that are there. Deleting rows keeps every constraint on single rows and pairs
of rows, declared or not (keys, checks, dependencies between columns); foreign keys, declared or apparent from names and
values, are restored by deleting further. Moving values breaks what holds between columns, so only constants are sought
with it. Adding copies of rows under new keys tells who picks rows by keys.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

_MAX_ROUNDS = 10
_MAX_MOVED_ROWS = 5_000
_HASHES = ("((rowid * 40503) >> 4) & 1 = 0", "((rowid * 40503) >> 4) & 1 = 1", "((rowid * 30323 + 7) >> 6) % 3 = 0")


@dataclass(frozen=True, slots=True)
class _Link:
    """Values of ``column`` in ``table`` occur in ``parent_column`` of ``parent``."""

    table: str
    column: str
    parent: str
    parent_column: str


def fewer_rows(connection: sqlite3.Connection, part: int) -> None:
    """Delete a part of the rows of every table; 0 and 1 are complements, 2 is a third."""
    connection.execute("PRAGMA foreign_keys = OFF")
    links = list(_links(connection))
    triggers = _drop_triggers(connection)
    for table in _tables(connection):
        if _count(connection, table) > 1:
            _try(connection, f"DELETE FROM {_quoted(table)} WHERE {_HASHES[part]}")  # noqa: S608 - a quoted name
    for _ in range(_MAX_ROUNDS):
        if not sum(_delete_orphans(connection, link) for link in links):
            break
    _restore(connection, triggers)


def added_rows(connection: sqlite3.Connection) -> None:
    """Add a copy of every row of every table, under a key that was not there before."""
    connection.execute("PRAGMA foreign_keys = OFF")
    triggers = _drop_triggers(connection)
    for table in _tables(connection):
        if len(_primary_key(connection, table)) < 2:  # copies of rows that link others would link nothing new
            _add(connection, table)
    _restore(connection, triggers)


def _add(connection: sqlite3.Connection, table: str) -> None:
    unique, name = set(_unique_columns(connection, table)), _quoted(table)
    columns = _columns(connection, table)
    values = [_another(column, name) if column in unique else _quoted(column) for column in columns]
    if columns:
        _try(
            connection,
            f"INSERT INTO {name} ({', '.join(map(_quoted, columns))}) SELECT {', '.join(values)} FROM {name} "  # noqa: S608 - quoted names
            f"ORDER BY rowid LIMIT {_MAX_MOVED_ROWS}",
        )


def _another(column: str, table: str) -> str:
    """Return an expression for a value that the unique ``column`` does not have."""
    name = _quoted(column)
    most = f"(SELECT max({name}) - min({name}) + 1 FROM {table} WHERE typeof({name}) <> 'text')"  # noqa: S608 - quoted names
    return f"CASE typeof({name}) WHEN 'text' THEN {name} || '_2' WHEN 'null' THEN NULL ELSE {name} + {most} END"


def unique_columns(connection: sqlite3.Connection) -> list[str]:
    """Return, in lower case, the names of columns that identify rows alone."""
    found = {name.lower() for table in _tables(connection) for name in _unique_columns(connection, table)}
    return sorted(found | {"rowid", "oid", "_rowid_"})


def _unique_columns(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    if key := _only(_primary_key(connection, table)):
        yield key
    for index in connection.execute(f"PRAGMA index_list({_quoted(table)})").fetchall():
        names = [row[2] for row in connection.execute(f"PRAGMA index_info({_quoted(index[1])})")]
        if index[2] and len(names) == 1 and names[0]:
            yield names[0]


def moved_values(connection: sqlite3.Connection) -> None:
    """Move the values of columns that are no key to other rows, each column by another number of rows."""
    connection.execute("PRAGMA foreign_keys = OFF")
    linked = {(link.table, link.column) for link in _links(connection)}
    triggers = _drop_triggers(connection)
    for table in _tables(connection):
        keys = _keys(connection, table)
        columns = [name for name in _columns(connection, table) if name not in keys and (table, name) not in linked]
        if columns:
            _move(connection, table, columns)
    _restore(connection, triggers)


def _move(connection: sqlite3.Connection, table: str, columns: list[str]) -> None:
    names = ", ".join(map(_quoted, columns))
    try:
        rows = connection.execute(
            f"SELECT {names}, rowid FROM {_quoted(table)} ORDER BY rowid LIMIT {_MAX_MOVED_ROWS}"  # noqa: S608 - quoted names
        ).fetchall()
        size = len(rows)
        moved = [(*(rows[i - 1 - j % size][j] for j in range(len(columns))), row[-1]) for i, row in enumerate(rows)]
        settings = ", ".join(f"{_quoted(name)} = ?" for name in columns)
        connection.execute("SAVEPOINT moving")
        try:
            connection.executemany(f"UPDATE {_quoted(table)} SET {settings} WHERE rowid = ?", moved)  # noqa: S608 - quoted names
        except sqlite3.Error:
            connection.execute("ROLLBACK TO moving")  # a constraint across keys and the rest: the table stays
        connection.execute("RELEASE moving")
    except sqlite3.Error:
        return  # a table without rowid stays as it is


def _links(connection: sqlite3.Connection) -> Iterator[_Link]:
    """Yield the foreign keys of one column: declared, or apparent, and without orphans as the rows stand."""
    tables = _tables(connection)
    parents = {table: _only(_primary_key(connection, table)) for table in tables}
    for table in tables:
        declared = {
            row[3]: (row[2], row[4]) for row in connection.execute(f"PRAGMA foreign_key_list({_quoted(table)})")
        }
        for column in _columns(connection, table):
            for parent, key in parents.items():
                names = (declared.get(column) or ("", ""))[0].lower() == parent.lower()
                if key and (names or (parent != table and _refers(column, parent, key))):
                    link = _Link(table, column, parent, declared[column][1] or key if names else key)
                    if not _orphans(connection, link):
                        yield link


def _refers(column: str, parent: str, key: str) -> bool:
    """Return whether ``column`` is named like a reference to the key of ``parent``."""
    name, table = column.lower(), parent.lower()
    singular = table.removesuffix("s")
    plain = name.replace("_", "")
    return (name == key.lower() and name != "id") or plain in {f"{singular}id", f"{table}id"}


def _orphans(connection: sqlite3.Connection, link: _Link) -> int:
    query = f"SELECT count(*) FROM {_quoted(link.table)} WHERE {_is_orphan(link)}"  # noqa: S608 - quoted names
    try:
        return int(connection.execute(query).fetchone()[0])
    except sqlite3.Error:
        return 1


def _delete_orphans(connection: sqlite3.Connection, link: _Link) -> int:
    return _try(connection, f"DELETE FROM {_quoted(link.table)} WHERE {_is_orphan(link)}")  # noqa: S608 - quoted names


def _is_orphan(link: _Link) -> str:
    column, parent = _quoted(link.column), _quoted(link.parent)
    return f"{column} IS NOT NULL AND {column} NOT IN (SELECT {_quoted(link.parent_column)} FROM {parent})"  # noqa: S608 - quoted names


def _tables(connection: sqlite3.Connection) -> list[str]:
    """Return the ordinary tables with rowids: virtual ones, and those behind them, are not to be touched."""
    rows = connection.execute("PRAGMA main.table_list").fetchall()
    return sorted(row[1] for row in rows if row[2] == "table" and not row[4] and not row[1].startswith("sqlite_"))


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")]


def _primary_key(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})") if row[5]]


def _keys(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the columns that identify rows: of the primary key, of unique indexes, or by name."""
    keys = set(_primary_key(connection, table))
    for index in connection.execute(f"PRAGMA index_list({_quoted(table)})").fetchall():
        if index[2]:
            keys.update(row[2] for row in connection.execute(f"PRAGMA index_info({_quoted(index[1])})") if row[2])
    named = {name for name in _columns(connection, table) if name.lower() == "id" or name.lower().endswith("_id")}
    return keys | named


def _only(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ""


def _count(connection: sqlite3.Connection, table: str) -> int:
    try:
        return int(connection.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0])  # noqa: S608 - a quoted name
    except sqlite3.Error:
        return 0


def _try(connection: sqlite3.Connection, statement: str) -> int:
    """Execute ``statement`` and return how many rows it changed; a table that refuses stays as it is."""
    try:
        return max(0, connection.execute(statement).rowcount)
    except sqlite3.Error:
        return 0


def _drop_triggers(connection: sqlite3.Connection) -> list[str]:
    """Drop the triggers, which would answer our changes, and return how to make them again."""
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {_quoted(name)}")
    return [definition for _, definition in triggers]


def _restore(connection: sqlite3.Connection, triggers: list[str]) -> None:
    for definition in triggers:
        connection.execute(definition)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
