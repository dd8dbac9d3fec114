"""`reward-server convert`: files in, task files out, nothing lost."""

import gzip
import json
import sys

import pytest
from typer.testing import CliRunner

from reward_server.__main__ import app

ROW = {"question": "How many are 6 times 7?", "answer": "6*7=<<6*7=42>>42\n#### 42"}


def convert(*arguments):
    return CliRunner().invoke(app, ["convert", *(str(argument) for argument in arguments)])


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.json", "wrongly_named.json"])
def test_rows_of_every_kind_of_file(tmp_path, name):
    """JSON Lines, zipped or not, and arrays are read; tasks are named after the file and the row."""
    lines = "\n".join([json.dumps(ROW), "", json.dumps(ROW)])
    content = json.dumps([ROW, ROW]) if name == "rows.json" else lines
    (tmp_path / name).write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    result = convert(tmp_path / name, "--from", "gsm8k", "--out", tmp_path / "tasks.jsonl")
    records = [json.loads(line) for line in (tmp_path / "tasks.jsonl").read_text("utf-8").splitlines()]
    assert result.exit_code == 0
    assert [record["task"]["mathAnswer"] for record in records] == [{"expected": "42"}] * 2
    second = 2 if name == "rows.json" else 3  # a line that is blank counts
    assert [record["task"]["taskId"].split("-")[1] for record in records] == ["1", str(second)]
    assert "2 rows became tasks, 0 could not" in result.output


def test_bad_rows_are_named_and_spoil_no_other(tmp_path):
    """Every row is a task or a line that says which row it is and why; the exit status is then 1."""
    lines = [json.dumps(ROW), "{broken", "7", json.dumps({"question": "?"}), json.dumps({**ROW, "answer": "#### x{"})]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    result = convert(tmp_path / "rows.jsonl", "--from", "gsm8k", "--out", tmp_path / "tasks.jsonl")
    assert result.exit_code == 1
    assert len((tmp_path / "tasks.jsonl").read_text("utf-8").splitlines()) == 2
    for said in ("rows.jsonl:2: is no JSON", "rows.jsonl:3: is no object", "rows.jsonl:4: has no text in 'answer'"):
        assert said in result.output
    assert "2 rows became tasks, 3 could not" in result.output


def test_tasks_that_the_server_would_refuse_are_refused_here(tmp_path):
    """What makes a task that contradicts the contract is a bad row, not a surprise in training."""
    (tmp_path / "rows.jsonl").write_text(json.dumps({**ROW, "answer": "#### " + "1" * 10_001}), "utf-8")
    result = convert(tmp_path / "rows.jsonl", "--from", "gsm8k")
    assert result.exit_code == 1
    assert "makes an invalid task: expected: " in result.output


def test_tasks_of_one_name_are_told_apart(tmp_path):
    """Two rows that call themselves the same become two tasks with names of their own."""
    row = {"problem": "?", "answer": "1", "id": "same"}
    (tmp_path / "rows.jsonl").write_text(f"{json.dumps(row)}\n{json.dumps(row)}", "utf-8")
    result = convert(tmp_path / "rows.jsonl", "--from", "math")
    names = [json.loads(line)["task"]["taskId"] for line in result.stdout.splitlines()]
    assert names == ["same", "same@2"]


def test_solutions_become_samples_that_grade_accepts(tmp_path):
    """With --solutions a data set can be checked against itself before it is trained on."""
    (tmp_path / "rows.jsonl").write_text(json.dumps(ROW), "utf-8")
    convert(tmp_path / "rows.jsonl", "--from", "gsm8k", "--solutions", "--out", tmp_path / "tasks.jsonl")
    arguments = [
        "grade",
        tmp_path / "tasks.jsonl",
        "--sandbox",
        "local",
        "--boxes",
        "1",
        "--out",
        tmp_path / "out.jsonl",
    ]
    assert CliRunner().invoke(app, [str(argument) for argument in arguments]).exit_code == 0
    assert json.loads((tmp_path / "out.jsonl").read_text("utf-8"))["verdict"]["score"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.jsonl", "--from", "gsm8k"], "nowhere.jsonl"),
        (["nowhere.jsonl", "--from", "gsm9k"], "no format is called 'gsm9k', but gsm8k"),
        (["nowhere.parquet", "--from", "verl"], "pip install 'reward-server[parquet]'"),
    ],
)
def test_files_that_cannot_be_read_end_with_2(arguments, says, monkeypatch):
    """A file or format that is not there is the caller's error, and the message says what to do."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = convert(*arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_a_file_that_breaks_off_is_told(tmp_path):
    """Of a zipped file that is cut off what came before is written, and the end is an error."""
    content = gzip.compress(b"\n".join(json.dumps({**ROW, "question": str(i)}).encode() for i in range(2_000)))
    (tmp_path / "rows.jsonl.gz").write_bytes(content[: len(content) // 2])
    result = convert(tmp_path / "rows.jsonl.gz", "--from", "gsm8k", "--out", tmp_path / "tasks.jsonl")
    assert result.exit_code == 2
    assert "is cut off or damaged" in " ".join(result.output.split())
    assert 0 < len((tmp_path / "tasks.jsonl").read_text("utf-8").splitlines()) < 2_000


def test_the_rows_are_not_overwritten(tmp_path):
    """A file is never read and written at once."""
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROW), "utf-8")
    result = convert(path, "--from", "gsm8k", "--out", path)
    assert result.exit_code == 2
    assert json.loads(path.read_text("utf-8")) == ROW
