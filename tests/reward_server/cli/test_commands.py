"""The command line over the embedded sandbox."""

import json

import pytest
from typer.testing import CliRunner

from reward_server.__main__ import app

TASK = {"taskId": "add", "codeTests": {"callTests": [{"function": "add", "args": ["1", "2"], "expected": "3"}]}}
RIGHT, WRONG = "def add(a, b):\n    return a + b", "def add(a, b):\n    return a - b"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def write(tmp_path):
    def write(name, *lines):
        path = tmp_path / name
        path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
        return path

    return write


def test_grade_writes_results_in_order_and_says_what_it_could_not_use(write, tmp_path):
    """Good lines are graded, a bad one is reported with its number, and the exit status is 1."""
    tasks = write("tasks.jsonl", {"task": TASK, "samples": [{"response": WRONG}]}, "{broken", {"task": {"taskId": "x"}})
    responses = write(
        "responses.jsonl",
        {"taskId": "add", "sampleId": "mine", "response": RIGHT},
        {"taskId": "nobody", "response": ""},
    )
    out = tmp_path / "results.jsonl"
    result = run("grade", tasks, "--responses", responses, "--out", out, "--sandbox", "local", "--boxes", "2")
    results = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(item["sampleId"], item["verdict"]["score"]) for item in results] == [("add#0", 0.0), ("mine", 1.0)]
    assert results[1]["provenance"]["runtime"] == "local"
    assert "tasks.jsonl:2:" in result.output
    assert "tasks.jsonl:3:" in result.output
    assert "no task is called 'nobody'" in result.output
    assert result.exit_code == 1


def test_grade_ends_with_0_when_all_was_graded(write):
    """The exit status tells whether every sample got a verdict, not whether it was right."""
    tasks = write("tasks.jsonl", {"task": TASK, "samples": [{"response": WRONG}]})
    result = run("grade", tasks, "--sandbox", "local", "--boxes", "1")
    assert result.exit_code == 0
    assert "code_tests" in result.output


def test_doctor_shows_the_layers_and_says_that_grading_is_safe():
    """Every layer that was probed is a row; the exit status is 0 where grading is safe."""
    result = run("doctor", "--sandbox", "local")
    assert result.exit_code == 0
    assert "seccomp" in result.output
    assert "assurance level: namespace; grading here is safe" in result.output


def test_doctor_says_when_the_level_is_too_low(write):
    """A sandbox below the level that the configuration wants is not safe, and the exit status is 1."""
    config = write("server.toml", 'minimum_assurance = "virtualized"')
    result = run("doctor", "--sandbox", "local", "--config", config)
    assert result.exit_code == 1
    assert "not safe" in result.output


def test_a_wrong_configuration_ends_with_2(write):
    """A key that does not exist is refused, with the nearest one."""
    result = run("serve", "--config", write("server.toml", "bxoes = 1"))
    assert result.exit_code == 2
    assert "did you mean boxes?" in result.output


def test_a_missing_task_file_ends_with_2():
    """A file that is not there is an error of the caller's."""
    result = run("grade", "nowhere.jsonl", "--sandbox", "local")
    assert result.exit_code == 2
    assert "nowhere.jsonl" in result.output


def test_capabilities_of_nobody_end_with_2():
    """Without a server there is an error that names the address."""
    result = run("capabilities", "127.0.0.1:1")
    assert result.exit_code == 2
    assert "127.0.0.1:1" in result.output
