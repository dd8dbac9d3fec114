"""The program's own errors: a message, an exit status, no traceback."""

import json

import pytest
from typer.testing import CliRunner

from trainer_client.__main__ import app


@pytest.fixture
def run(tmp_path, tiny_model):
    def invoke(command, text, *options):
        path = tmp_path / "train.toml"
        path.write_text(text.replace("MODEL", str(tiny_model)), "utf-8")
        return CliRunner().invoke(app, [command, str(path), *options])

    return invoke


@pytest.mark.parametrize(
    ("command", "text", "message"),
    [
        ("train", "stepz = 1", "stepz: there is no such key; did you mean steps?"),
        ("train", '[model]\nname = "MODEL"', "there are no tasks to learn from"),
        (
            "sft",
            '[model]\nname = "MODEL"\n[data]\ntasks = [{path = "no.jsonl"}]',
            "no.jsonl: No such file or directory",
        ),
        ("eval", '[model]\nname = "MODEL"', "there is nothing to evaluate on"),
        ("train", '[model]\nname = "/nowhere/at/all"', "is no folder of a model, nor to be had"),
    ],
)
def test_mistakes_end_with_a_message(run, command, text, message):
    """What the user can mend ends with status 2 and a sentence, before anything heavy starts."""
    done = run(command, text)
    assert done.exit_code == 2, done.output
    assert message in done.output.replace("\n", " ")


def test_a_report_needs_a_run(tmp_path):
    """A folder that is no run's is refused."""
    done = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert (done.exit_code, "there is no run here" in done.output) == (2, True)


@pytest.mark.parametrize("adapter", ["none", "lora"])
def test_a_warm_start_by_command(run, tmp_path, adapter):
    """`sft` learns from the samples in task records, and leaves metrics and a whole model that a run can begin with."""
    lines = [
        {
            "task": {"mathAnswer": {"expected": str(i)}},
            "prompt": [{"role": "user", "content": f"{i}?"}],
            "samples": [{"response": str(i)}],
        }
        for i in range(8)
    ]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    text = f'[model]\nname = "MODEL"\nadapter = "{adapter}"\n[data]\ntasks = [{{path = "tasks.jsonl"}}]\n'
    text += "[output]\ntrackers = []\n"
    done = run(
        "sft", text, "--set", "sft.epochs=15", "--set", "sft.samples_per_step=8", "--set", "sft.learning_rate=0.01"
    )
    assert done.exit_code == 0, done.output
    losses = [
        json.loads(line)["update/loss"]
        for line in (tmp_path / "run" / "sft" / "metrics.jsonl").read_text().splitlines()
    ]
    assert len(losses) == 15
    assert losses[-1] < (losses[0] / 2 if adapter == "none" else losses[0])
    made = {path.name for path in (tmp_path / "run" / "sft" / "model").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= made
    assert "adapter_config.json" not in made
