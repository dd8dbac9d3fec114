"""BIRD: `question`, `evidence`, `SQL`, `db_id`; its SQLite files in ``--databases DIR``."""

from collections.abc import Mapping
from typing import Any

from converters.databases import database, question
from converters.records import Converted, Options, named, text, user


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `sql_query`. Rows may come in any order, as in BIRD's metric; duplicates count."""
    query, evidence = text(row, "SQL", "query"), text(row, "evidence", default="")
    field, schema = database(text(row, "db_id"), options)
    asked = text(row, "question") + (f"\n{evidence}" if evidence else "")
    return Converted(
        task=named(
            {"sqlQuery": {**field, "referenceQuery": query, "rowOrder": "ROW_ORDER_ANY"}},
            text(row, "question_id", default=""),
        ),
        prompt=user(question(schema, asked)),
        solutions=(f"```sql\n{query}\n```",),
    )
