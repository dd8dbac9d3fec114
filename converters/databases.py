"""SQLite files of text-to-SQL data sets: found by name, embedded in the task, their schema shown in the prompt."""

import base64
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from converters.records import Options, RowError

MAX_DATABASE_BYTES = 4 << 20
"""What a task of `sql_query` takes."""


def database(db_id: str, options: Options) -> tuple[dict[str, Any], str]:
    """Return the database as a field of the task, and its schema as CREATE statements. Raises `RowError`.

    Tasks have no references to files, so each carries its own copy.
    """
    if options.databases is None:
        raise RowError("needs the folder of SQLite files: --databases DIR")
    if db_id == ".." or Path(db_id).name != db_id:
        raise RowError(f"'db_id' is no name of a database: {db_id[:80]!r}")
    folder = options.databases / db_id
    for path in (folder / f"{db_id}.sqlite", folder / f"{db_id}.db", options.databases / f"{db_id}.sqlite"):
        if path.is_file():
            try:
                content, schema = _read(path)
            except OSError as error:
                raise RowError(f"{path} cannot be read: {error}") from None
            return {"databaseFile": content}, schema
    raise RowError(f"there is no {folder / db_id}.sqlite")


@lru_cache(maxsize=8)
def _read(path: Path) -> tuple[str, str]:
    size = path.stat().st_size
    if size > MAX_DATABASE_BYTES:
        raise RowError(f"{path.name} has {size} bytes; a task takes at most {MAX_DATABASE_BYTES}")
    for beside in ("-wal", "-journal"):
        log = path.with_name(path.name + beside)
        if log.is_file() and log.stat().st_size:
            raise RowError(f"{log.name} must be merged into the database first: open it with sqlite3, VACUUM, close")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            rows = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND sql NOT NULL").fetchall()
    except sqlite3.Error as error:
        raise RowError(f"{path.name} is no SQLite database: {error}") from None
    return base64.b64encode(path.read_bytes()).decode(), "\n".join(f"{sql};" for (sql,) in rows)


def question(schema: str, asked: str) -> str:
    """Return a prompt: the schema, the question, and what to answer with."""
    return f"{schema}\n\n{asked}\n\nAnswer with one SQLite query in a code block."
