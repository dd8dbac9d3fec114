"""`reward-server convert` reads Parquet as the data sets' library writes it."""

import json

from datasets import Dataset
from typer.testing import CliRunner

from reward_server.__main__ import app

ROWS = [
    {"data_source": "openai/gsm8k", "reward_model": {"ground_truth": str(i)}, "extra_info": {"index": i}}
    for i in range(1, 201)
]


def convert(tmp_path, *, to):
    result = CliRunner().invoke(app, ["convert", str(tmp_path / "rows.parquet"), "--from", "verl", "--out", str(to)])
    return result, [json.loads(line)["task"] for line in to.read_text("utf-8").splitlines()]


def test_parquet(tmp_path):
    """Rows come in order over all batches, and a bad one is named by its number."""
    rows = [{**row, "prompt": [{"role": "user", "content": "?"}]} for row in ROWS]
    rows[99] = {**rows[99], "data_source": "my/own"}
    Dataset.from_list(rows).to_parquet(tmp_path / "rows.parquet")
    result, tasks = convert(tmp_path, to=tmp_path / "tasks.jsonl")
    assert result.exit_code == 1
    assert "rows.parquet:100: no grader is known for the data source 'my/own'" in result.output
    wanted = [str(i) for i in range(1, 201) if i != 100]
    assert [task["mathAnswer"]["expected"] for task in tasks] == wanted
    assert tasks[0]["taskId"] == "openai/gsm8k/1"


def test_a_file_that_is_no_parquet(tmp_path):
    """A broken file ends with 2 and its name."""
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 not")
    result, _ = convert(tmp_path, to=tmp_path / "tasks.jsonl")
    assert result.exit_code == 2
    assert "cannot be read as Parquet" in result.output
