"""Tasks for the training demonstration, made from a seed: sums, questions to a database, records to be extracted.

Each record has a prompt, what it is graded by, and a demonstration. Demonstrations are careless on purpose: more than
half of them have a slip. A model that imitates them learns the slips too; only rewards tell it which ones are right.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

Record = dict[str, Any]
CARELESS = 0.6
"""Share of demonstrations that have a slip."""
NAMES = [
    "Ada",
    "Ben",
    "Cleo",
    "Dora",
    "Emil",
    "Finn",
    "Gina",
    "Hugo",
    "Iris",
    "Jan",
    "Kira",
    "Leo",
    "Mara",
    "Nils",
    "Olga",
    "Pia",
]
TOWNS = ["Bern", "Cork", "Graz", "Kiel", "Lund", "Nice", "Oslo", "Pisa", "Riga", "Rome", "Turin", "Vigo"]
TABLES = {"pets": ("name", "age", "weight"), "cars": ("brand", "price", "speed"), "books": ("title", "pages", "price")}
ROWS = {
    "pets": "('Rex', 3, 20), ('Tom', 5, 4), ('Kim', 13, 71), ('Ivy', 9, 42), ('Zoe', 28, 94), ('Max', 61, 55)",
    "cars": "('Fiat', 9, 51), ('Seat', 12, 64), ('Opel', 7, 38), ('Audi', 57, 96), ('Saab', 31, 82), ('Ford', 88, 20)",
    "books": "('Emma', 32, 2), ('Dune', 91, 15), ('Momo', 30, 9), ('Ulla', 15, 47), ('Faust', 74, 68), ('Uli', 53, 85)",
}
DATABASE = "".join(
    f"CREATE TABLE {table} ({columns[0]} TEXT, {columns[1]} INTEGER, {columns[2]} INTEGER);"
    f"INSERT INTO {table} VALUES {ROWS[table]};"
    for table, columns in TABLES.items()
)


def arithmetic(chance: random.Random) -> Record:
    """A sum of two small numbers."""
    first, second = chance.randint(1, 20), chance.randint(1, 20)
    slip = chance.choice((-1, 1, 10)) if chance.random() < CARELESS else 0
    task = {"mathAnswer": {"expected": str(first + second)}}
    return record(f"{first}+{second}=", task, f"\\boxed{{{first + second + slip}}}")


def sql(chance: random.Random) -> Record:
    """A question that one line of SQL answers."""
    table = chance.choice(sorted(TABLES))
    text, number, other = TABLES[table]
    word, function = chance.choice((("highest", "max"), ("lowest", "min"), ("average", "avg"), ("total", "sum")))
    column = chance.choice((number, other))
    limit = chance.randint(2, 99)
    if chance.random() < 0.5:
        question, query = f"{word} {column} of {table}", f"SELECT {function}({column}) FROM {table}"
        slips = (f"SELECT {column} FROM {table}", f"SELECT {function}({column}, {table}")
    else:
        query = f"SELECT {text} FROM {table} WHERE {column} > {limit}"
        question = f"{text} of {table} with {column} over {limit}"
        slips = (f"SELECT {text} FROM {table}", f"SELECT {text} FROM {table} WHERE {column} < {limit}")
    task = {"sqlQuery": {"databaseSql": DATABASE, "referenceQuery": query}}
    return record(question, task, chance.choice(slips) if chance.random() < CARELESS else query)


def extraction(chance: random.Random) -> Record:
    """A sentence whose facts are wanted as JSON."""
    name, age, town = chance.choice(NAMES), chance.randint(10, 99), chance.choice(TOWNS)
    sentence = chance.choice(("{name}, {age}, lives in {town}", "in {town} lives {name}, aged {age}")).format(
        name=name, age=age, town=town
    )
    wanted = {"name": name, "age": age, "town": town}
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "town": {"type": "string"}},
        "required": list(wanted),
    }
    task = {"jsonExtraction": {"schema": json.dumps(schema), "expected": json.dumps(wanted)}}
    written = dict(wanted)
    if chance.random() < CARELESS:
        slip = chance.choice(("forgets", "quotes", "adds"))
        if slip == "forgets":
            del written[chance.choice(sorted(wanted))]
        else:
            written |= {"age": str(age)} if slip == "quotes" else {"job": "none"}
    return record(sentence, task, json.dumps(written, separators=(",", ":")))


KINDS: dict[str, Callable[[random.Random], Record]] = {"arithmetic": arithmetic, "sql": sql, "extraction": extraction}


def record(question: str, task: Record, demonstration: str) -> Record:
    """Return a task record in the canonical JSON of `reward.v1.TaskRecord`."""
    return {
        "task": task,
        "prompt": [{"role": "user", "content": question}],
        "samples": [{"response": demonstration}],
    }


def write_tasks(folder: Path, *, train: int, held_out: int, seed: int = 0) -> list[str]:
    """Write `<kind>.jsonl` and `<kind>_held_out.jsonl` for each kind; return all texts, for a tokenizer.

    No question that is held out is asked in training.
    """
    texts = []
    for kind, make in KINDS.items():
        chance = random.Random(f"{seed}/{kind}")
        by_question = {made["prompt"][0]["content"]: made for made in (make(chance) for _ in range(8 * held_out))}
        kept = dict(list(by_question.items())[:held_out])
        asked = [made for made in (make(chance) for _ in range(4 * train)) if made["prompt"][0]["content"] not in kept]
        for name, records in ((kind, asked[:train]), (f"{kind}_held_out", list(kept.values()))):
            lines = [json.dumps(made) + "\n" for made in records]
            (folder / f"{name}.jsonl").write_text("".join(lines), "utf-8")
        texts += [made["prompt"][0]["content"] + made["samples"][0]["response"] for made in asked[:train]]
    return texts
