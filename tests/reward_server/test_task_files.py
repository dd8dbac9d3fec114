import json

import pytest

from reward_server.task_files import BadLine, Line, read, read_responses

TASK = {"taskId": "t", "codeTests": {"callTests": [{"function": "f", "expected": "1"}]}}


@pytest.fixture
def write(tmp_path):
    def write(*lines):
        path = tmp_path / "tasks.jsonl"
        path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
        return path

    return write


def test_lines_are_read_with_their_numbers(write):
    """Blank lines count but are no records."""
    lines = list(read(write({"task": TASK}, b"", {"task": TASK, "samples": [{"response": "x"}]})))
    assert [line.number for line in lines] == [1, 3]
    assert lines[1].record.samples[0].response == "x"


def test_ids_may_be_left_out(write):
    """A task without an id is named by its line, a sample by its task and place."""
    task = {**TASK, "taskId": ""}
    (line,) = read(write({"task": task, "samples": [{"response": "a"}, {"response": "b"}]}))
    assert line.record.task.task_id == "line-1"
    assert [(sample.task_id, sample.sample_id) for sample in line.record.samples] == [
        ("line-1", "line-1#0"),
        ("line-1", "line-1#1"),
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"{", "Expecting"),
        (b"[1]", ""),
        (b"\xff", "utf-8"),
        (b"[" * 100_000, ""),
        ({"tsak": TASK}, "tsak"),
        ({"task": {"taskId": "t"}}, "no grader is set"),
        ({"task": TASK, "samples": [{"taskId": "other"}]}, "samples[0].taskId"),
        ({"task": {**TASK, "codeTests": {"scoring": "BEST"}}}, "BEST"),
    ],
)
def test_a_bad_line_spoils_no_other(write, bad, reason):
    """A line that cannot be used is reported with its number; the lines around it are read."""
    first, second, third = read(write({"task": TASK}, bad, {"task": TASK}))
    assert isinstance(first, Line)
    assert isinstance(second, BadLine)
    assert isinstance(third, Line)
    assert second.number == 2
    assert reason in second.reason


def test_responses_are_read_the_same_way(write):
    """A file of responses gives samples and bad lines."""
    good, bad = read_responses(write({"taskId": "t", "response": "x"}, b"{"))
    assert (good.task_id, good.sample_id, good.response) == ("t", "t#1", "x")
    assert isinstance(bad, BadLine)
    assert bad.number == 2
