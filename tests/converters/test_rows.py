"""Rows of every format become tasks that accept the rows' own solutions and refuse wrong ones: `rows/*.jsonl`."""

import base64
import json
import pickle
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from converters import FORMATS, Options, convert
from reward_server.child import child_server
from trainer_client import RewardClient, Ruling, Sample

FOLDER = Path(__file__).with_name("rows")
CASES = [
    pytest.param(path.stem, json.loads(line), id=f"{path.stem}-{number}")
    for path in sorted(FOLDER.glob("*.jsonl"))
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
]


@pytest.fixture(scope="module")
def client():
    with child_server("--sandbox", "local", "--boxes", "1") as address, RewardClient(address) as client:
        yield client


def prepared(case, folder):
    """The row as the data set has it: its database made, its private tests packed as LiveCodeBench packs them."""
    row = dict(case["row"])
    if "database" in case:
        path = folder / row["db_id"] / f"{row['db_id']}.sqlite"
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(case["database"])
    if "private_test_cases" in row:
        text = json.dumps(row["private_test_cases"])
        row["private_test_cases"] = base64.b64encode(zlib.compress(pickle.dumps(text))).decode()
    return row


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_rows_own_solution_is_accepted_and_a_wrong_one_is_not(client, tmp_path, name, case):
    """A converted row grades what the data set holds to be right as right, and what is wrong as wrong."""
    converted = convert(name, prepared(case, tmp_path), Options(databases=tmp_path))
    right = [*converted.solutions, *case["right"]]
    results = client.score([Sample(converted.task, response) for response in [*right, *case["wrong"]]])
    rulings = [getattr(result, "ruling", result) for result in results]
    assert rulings[: len(right)] == [Ruling.ACCEPTED] * len(right), results
    assert not set(rulings[len(right) :]) & {Ruling.ACCEPTED}, results
    assert all(hasattr(result, "score") for result in results), results
    if "checks" in case:
        assert len(results[0].checks) == case["checks"]
    flags = {flag.name for result in results[len(right) :] for flag in result.flags}
    assert set(case.get("flags", ())) <= flags


def test_every_format_has_rows():
    """A format without a row here is not tested."""
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == set(FORMATS)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_every_row_asks_the_model_something(tmp_path, name, case):
    """A converted row has a prompt of texts, and never shows a solution in it."""
    converted = convert(name, prepared(case, tmp_path), Options(databases=tmp_path))
    assert converted.prompt
    assert all(message["content"].strip() for message in converted.prompt)
    assert not any(solution in message["content"] for solution in converted.solutions for message in converted.prompt)


def test_all_or_nothing(tmp_path):
    """Code may be made to earn with all tests only, as the data sets count it."""
    row = json.loads((FOLDER / "apps.jsonl").read_text("utf-8").splitlines()[0])["row"]
    assert convert("apps", row, Options(all_or_nothing=True)).task["codeTests"]["scoring"].endswith("ALL_OR_NOTHING")
