"""The configurations for real models load, and their memory estimates are what the formula says."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from trainer_client.task_records import TaskRecord, read_task_records
from trainer_client.training.config import load
from trainer_client.training.memory import SHAPES, estimate

FOLDER = Path(__file__).parents[3] / "examples" / "train"
FILES = sorted(FOLDER.glob("*.toml"))
LARGEST = {"Qwen/Qwen3-0.6B": 0.6e9, "Qwen/Qwen3-1.7B": 1.7e9, "Qwen/Qwen3-4B": 4.0e9, "Qwen/Qwen3-8B": 8.2e9}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_configuration_loads_and_fits(path):
    """Each loads, says what the formula says it takes, and fits the GPU that its first line names."""
    text = path.read_text("utf-8")
    config = load(path)
    gpus = int(re.search(r"^# GPUs: (\d+)$", text, re.MULTILINE)[1])
    size = float(re.search(r"of (\d+) GB", text)[1]) * 1e9 / 2**30
    found = estimate(SHAPES[config.model.name], config, gpus)
    assert f"# memory on each GPU: {found}\n" in text
    engine = config.rollout.gpu_memory_utilization * size
    assert found.engine_least <= engine
    assert found.learning + 2 <= size
    assert found.kept + engine + 2 <= size


def test_there_is_one_for_each_purpose():
    """One GPU and eight, all four kinds of task."""
    names = " ".join(path.stem for path in FILES)
    assert all(word in names for word in ("gsm8k", "sql", "extraction", "code", "1gpu", "8gpu"))


@pytest.mark.parametrize(("name", "parameters"), LARGEST.items())
def test_shapes_have_the_parameters_in_their_names(name, parameters):
    """The count from the shape is within a few percent of what the model is called after."""
    assert SHAPES[name].parameters == pytest.approx(parameters, rel=0.05)


ROWS = {
    "gsm8k": {"question": "1+1?", "answer": "It is <<1+1=2>>2.\n#### 1,002"},
    "sql": {"question": "How many?", "query": "SELECT count(*) FROM a", "database": "CREATE TABLE a (b)"},
    "extraction": {"text": "Ada", "schema": {"type": "object"}, "expected": {"name": "Ada"}},
    "code": {"text": "Write f.", "test_list": ["assert f() == 1", "assert f() != 2"]},
}


@pytest.mark.parametrize("kind", ROWS)
def test_data_sets_become_tasks(kind, tmp_path):
    """Each converter's lines are task records with a prompt and the grader meant for them."""
    spec = importlib.util.spec_from_file_location("make_tasks", FOLDER / "make_tasks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps(module.KINDS[kind](ROWS[kind])), "utf-8")
    (record,) = read_task_records(path)
    assert isinstance(record, TaskRecord), record
    graders = {"gsm8k": "math_answer", "sql": "sql_query", "extraction": "json_extraction", "code": "code_tests"}
    assert record.grader == graders[kind]
    assert record.prompt[0]["content"]
