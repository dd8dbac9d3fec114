"""Spider: `question`, `query`, `db_id`; its SQLite files in ``--databases DIR``."""

from collections.abc import Mapping
from typing import Any

from converters.databases import database, question
from converters.records import Converted, Options, text, user


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `sql_query`. Order counts where the reference orders, duplicates always do."""
    query = text(row, "query", "SQL")
    field, schema = database(text(row, "db_id"), options)
    return Converted(
        task={"sqlQuery": {**field, "referenceQuery": query}},
        prompt=user(question(schema, text(row, "question"))),
        solutions=(f"```sql\n{query}\n```",),
    )
