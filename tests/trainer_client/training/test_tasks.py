"""Task files become prompts; what cannot be used is told by file and line."""

import json

import pytest

from trainer_client.training.demonstrations import SftConfig, batches, demonstrations, steps
from trainer_client.training.tasks import DataConfig, PromptWriter, TaskFileError, TaskSource, load_task_sets
from trainer_client.training.tiny_model import make_tokenizer


def line(question="1+1=", **task):
    return {
        "task": {"mathAnswer": {"expected": "2"}, **task},
        "prompt": [{"role": "user", "content": question}],
        "samples": [{"response": "two"}, {"response": "2"}],
    }


@pytest.fixture
def load(tmp_path):
    def run(*lines, source=None, **options):
        path = tmp_path / "sums.jsonl"
        path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines), "utf-8")
        config = DataConfig(tasks=(TaskSource(path=str(path), **(source or {})),), **options)
        return load_task_sets(config.tasks, PromptWriter(make_tokenizer(), config), config)[0]

    return run


def test_a_record_becomes_a_prompt_by_the_chat_template(load):
    """The prompt is what the template makes of the messages, up to where the model begins; names are distinct."""
    task_set = load(line(taskId="one"), line("2+2="), source={"system": "Add."})
    first, second = task_set.tasks
    assert (
        first.prompt == "<|im_start|>system\nAdd.<|im_end|>\n<|im_start|>user\n1+1=<|im_end|>\n<|im_start|>assistant\n"
    )
    assert (first.name, second.name, first.grader) == ("sums/one", "sums/line-2", "math_answer")
    assert make_tokenizer().decode(list(second.prompt_token_ids)).endswith("2+2=<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", r"sums.jsonl:2: .*"),
        ({"task": {"mathAnswer": {"expectd": "2"}}}, 'sums.jsonl:2: .*"expectd"'),
        ({"prompt": [{"role": "user", "content": "?"}]}, "sums.jsonl:2: task: no grader is set"),
        ({"task": {"mathAnswer": {"expected": "2"}}}, "sums.jsonl:2: prompt: there is none"),
        ({**line(), "prompt": [{"role": "robot", "content": "?"}]}, "sums.jsonl:2: .*'robot' is none of"),
        (line(taskId="line-1"), "sums.jsonl:2: .*is the task of line 1 already"),
        (line(taskId="x" * 300), "sums.jsonl:2: taskId: longer than 256"),
    ],
)
def test_bad_lines_are_named(load, caplog, bad, reason):
    """A line that cannot be used stops the run with file, line and reason; when told to, the run goes on without it."""
    with pytest.raises(TaskFileError, match=reason):
        load(line(), bad, line())
    assert len(load(line(), bad, line(), bad_lines="skip").tasks) == 2
    assert "sums.jsonl:2" in caplog.text


def test_a_missing_file_is_named(tmp_path):
    """A file that is not there is an error that says so, before anything is started."""
    config = DataConfig(tasks=(TaskSource(path=str(tmp_path / "none.jsonl")),))
    with pytest.raises(TaskFileError, match=r"none.jsonl: No such file"):
        load_task_sets(config.tasks, PromptWriter(make_tokenizer(), config), config)


def test_long_prompts_are_left_out(load, caplog):
    """Tasks whose prompts are too long are counted and left out; a file of nothing else is an error."""
    assert len(load(line(), line("1" * 500), max_prompt_tokens=200).tasks) == 1
    assert "1 of 2 tasks left out" in caplog.text
    with pytest.raises(TaskFileError, match="every prompt is longer"):
        load(line(), max_prompt_tokens=3)


def test_demonstrations_end_with_the_end_token(load):
    """Each sample is a pair of prompt and response, and the response ends as the model should end it."""
    tokenizer = make_tokenizer()
    task_set = load(line(), line("3+3="))
    found = demonstrations([task_set], tokenizer, SftConfig(epochs=2, samples_per_step=3))
    assert [tokenizer.decode(response) for _, response in found.pairs] == ["two<|im_end|>", "2<|im_end|>"] * 2
    drawn = list(batches(found, SftConfig(epochs=2, samples_per_step=3), seed=1))
    assert [len(batch) for batch in drawn] == [3, 1, 3, 1]
    assert len(drawn) == steps(found, SftConfig(epochs=2, samples_per_step=3))
    assert sorted(drawn[0] + drawn[1]) == sorted(found.pairs) == sorted(drawn[2] + drawn[3])
