"""The configuration: what is read, what is refused and why."""

import pytest

from trainer_client.training.config import ConfigError, load

MINIMAL = '[model]\nname = "./tiny"\n'


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "train.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_paths_are_relative_to_the_file(written, tmp_path):
    """Task files, model folder and output stand beside the configuration, wherever the program is run."""
    config = load(written(MINIMAL + '[data]\ntasks = [{path = "a.jsonl", weight = 2}]\n'))
    assert config.model.name == str(tmp_path / "tiny")
    assert config.data.tasks[0].path == str(tmp_path / "a.jsonl")
    assert config.data.tasks[0].weight == 2.0
    assert config.output.directory == str(tmp_path / "run")


def test_presets_and_changes(written):
    """A preset can be changed key by key, in the file and on the command line."""
    text = MINIMAL + '[loss]\npreset = "grpo"\nclip_high = 0.3\n'
    config = load(written(text), ["optimizer.learning_rate=1e-5", "name=second try", "loss.kl_coefficient=0"])
    assert (config.loss.aggregation, config.loss.clip_high, config.loss.kl_coefficient) == ("sequence_mean", 0.3, 0.0)
    assert (config.optimizer.learning_rate, config.name) == (1e-5, "second try")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[model]\n", "model.name: it is missing"),
        ("steps = 3\n", "model: it is missing"),
        ("stepz = 3\n" + MINIMAL, "stepz: there is no such key; did you mean steps?"),
        (MINIMAL + "[optimizer]\nlearning_rat = 1\n", "did you mean optimizer.learning_rate"),
        ("steps = 0\n" + MINIMAL, "steps: 0 is less than 1"),
        ("steps = true\n" + MINIMAL, "steps: True is no int"),
        ("ahead = 2\n" + MINIMAL, "ahead: 2 is none of 0, 1"),
        ("ahead = true\n" + MINIMAL, "ahead: True is none of 0, 1"),
        (MINIMAL + '[loss]\npreset = "ppo"\n', "loss.preset: 'ppo' is none of grpo"),
        (MINIMAL + "[loss]\nclip_low = -1\n", "loss.clip_low: -1.0 is less than 0"),
        (MINIMAL + "[optimizer]\nbetas = [0.9]\n", "optimizer.betas: an array of 2 is expected"),
        (MINIMAL + '[data]\ntasks = "a.jsonl"\n', "data.tasks: an array is expected"),
        (
            MINIMAL + '[data]\ntasks = [{path = "a/x.jsonl"}, {path = "b/x.jsonl"}]\n',
            "data.tasks: two files of one name",
        ),
        (MINIMAL + "[data]\ntasks = [{weight = 1.0}]\n", r"data.tasks\[0\].path: it is missing"),
        (MINIMAL + "[evaluation]\nk = [8]\n", "evaluation.k: 8 is not between 1 and samples = 4"),
        (MINIMAL + '[output]\ntrackers = ["wandb"]\n', "trackers: wandb is not installed"),
        ("model = 3\n", "model: a table is expected"),
        ("steps = \n", "Invalid value"),
    ],
)
def test_mistakes_are_named(written, text, reason):
    """What is wrong is refused before anything starts, with the key and a hint."""
    with pytest.raises(ConfigError, match=reason):
        load(written(text))


def test_a_change_needs_a_key(written):
    """--set takes key=value."""
    with pytest.raises(ConfigError, match="key=value is expected"):
        load(written(MINIMAL), ["steps"])
