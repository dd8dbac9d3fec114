"""Make task files of data sets that are on this machine: one kind of record in, `reward.v1.TaskRecord` lines out.

    python examples/train/make_tasks.py gsm8k train.jsonl > gsm8k.jsonl

The input is JSON Lines with the data sets' own field names:

    gsm8k       question, answer (the number after ####)
    sql         question, query, database (SQL text that makes it, or the path of a SQLite file)
    extraction  text, schema, expected
    code        text, test_list, optionally test_setup_code (MBPP); the last test is kept from the prompt
"""

import base64
import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def gsm8k(row: Row) -> Row:
    """A word problem with a number for an answer."""
    expected = row["answer"].rpartition("####")[2].strip().replace(",", "")
    question = f"{row['question']}\n\nReason step by step, and put the final number in \\boxed{{}}."
    return record(question, {"mathAnswer": {"expected": expected}})


def sql(row: Row) -> Row:
    """A question to a database."""
    source = row["database"]
    if Path(source).suffix in (".sqlite", ".db"):
        task = {"databaseFile": base64.b64encode(Path(source).read_bytes()).decode()}
        with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as database:
            schema = "\n".join(sql for (sql,) in database.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL"))
    else:
        task, schema = {"databaseSql": source}, source
    question = f"{schema}\n\n{row['question']}\n\nAnswer with one SQLite query in a ```sql block."
    return record(question, {"sqlQuery": {**task, "referenceQuery": row["query"]}})


def extraction(row: Row) -> Row:
    """A record that stands in a text."""
    schema, expected = json.dumps(row["schema"]), json.dumps(row["expected"])
    question = f"{row['text']}\n\nGive the record as JSON that is valid by this schema:\n{schema}"
    return record(question, {"jsonExtraction": {"schema": schema, "expected": expected}})


def code(row: Row) -> Row:
    """A function to be written."""
    tests = row["test_list"]
    setup = row.get("test_setup_code", "")
    asserts = [
        {"code": f"{setup}\n{test}", "hidden": place == len(tests) - 1 and place > 0}
        for place, test in enumerate(tests)
    ]
    shown = "\n".join(tests[: max(1, len(tests) - 1)])
    question = f"{row['text']}\nIt must pass these tests:\n{shown}\n\nAnswer with a ```python block."
    return record(question, {"codeTests": {"assertTests": asserts}})


def record(question: str, task: Row) -> Row:
    """Return a line of a task file."""
    return {"task": task, "prompt": [{"role": "user", "content": question}]}


KINDS: dict[str, Callable[[Row], Row]] = {"gsm8k": gsm8k, "sql": sql, "extraction": extraction, "code": code}


def main() -> None:
    """Convert the file named on the command line."""
    if len(sys.argv) != 3 or sys.argv[1] not in KINDS:  # noqa: PLR2004 - a kind and a file
        sys.exit(f"usage: make_tasks.py {'|'.join(KINDS)} FILE.jsonl\n{__doc__}")
    with Path(sys.argv[2]).open(encoding="utf-8") as file:
        for line in file:
            print(json.dumps(KINDS[sys.argv[1]](json.loads(line))))


if __name__ == "__main__":
    main()
