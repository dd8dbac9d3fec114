"""inspect_ai evaluates with our scorer and a model of canned answers."""

import json
import math

from inspect_ai import Task, eval  # noqa: A004 - inspect's name
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.solver import generate

from trainer_client.adapters.inspect_ai import reward_scorer

CODE = {"codeTests": {"stdioTests": [{"stdin": "2", "expectedStdout": "4"}]}}
SAMPLES = [
    Sample(input="six times seven?", target="42"),
    Sample(input="six times nine?", target="54"),
    Sample(input="double", target=json.dumps(CODE)),
    Sample(input="double again", metadata={"task": CODE}),
]
ANSWERS = ["\\boxed{42}", "\\boxed{42}", "print(2 * int(input()))", "print(5)"]


def evaluated(address, tmp_path, samples, answers):
    outputs = [ModelOutput.from_content("mockllm/model", answer) for answer in answers]
    for output in outputs:
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)  # else it is counted, by a download
    model = get_model("mockllm/model", custom_outputs=outputs)
    task = Task(dataset=MemoryDataset(samples), solver=generate(), scorer=reward_scorer(address, data_source="aime"))
    (log,) = eval(task, model=model, log_dir=str(tmp_path), display="none", max_samples=1, max_connections=1)
    assert log.status == "success", log.error
    return log


def test_scores_and_metrics(address, tmp_path):
    """Every sample is scored by its task or target, and the mean is theirs."""
    log = evaluated(address, tmp_path, SAMPLES, ANSWERS)
    scores = [sample.scores["reward_server"] for sample in log.samples]
    assert [score.value for score in scores] == [1.0, 0.0, 1.0, 0.0]
    assert scores[0].metadata["ruling"] == "accepted"
    assert log.results.scores[0].metrics["mean"].value == 0.5


def test_a_dead_sandbox_is_left_out(dead, tmp_path):
    """What was not graded is unscored, with its reason, and the mean is of the rest."""
    log = evaluated(dead, tmp_path, [SAMPLES[0], SAMPLES[2]], [ANSWERS[0], ANSWERS[2]])
    scores = [sample.scores["reward_server"] for sample in log.samples]
    assert scores[0].value == 1.0
    assert math.isnan(scores[1].value)
    assert scores[1].metadata["failure"] == "sandbox_unavailable"
    assert log.results.scores[0].metrics["mean"].value == 1.0
    assert log.results.scores[0].unscored_samples == 1
