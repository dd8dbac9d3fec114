"""A whole run at the smallest size: a model of random weights, eight tasks, and a server that likes letters."""

import json
from collections import deque

import grpc
from reward.v1 import result_pb2, reward_service_pb2
from tiny_engine import vllm_warnings

from trainer_client.training.config import load
from trainer_client.training.run_log import EVALUATIONS, METRICS, read_lines
from trainer_client.training.screen import Screen
from trainer_client.training.tiny_model import make_tiny_model
from trainer_client.training.train import train

CONFIG = """
steps = 4
groups_per_step = 4
replace_without_spread = 0.5
seed = 3

[model]
name = "./model"
gradient_checkpointing = false

[rollout]
group_size = 4
max_model_len = 128
kv_cache_gib = 0.1
max_sequences = 16
sampling = {{ max_tokens = 12 }}

[loss]
preset = "grpo"

[optimizer]
learning_rate = 1e-3

[rewards]
address = "{address}"

[data]
tasks = [{{ path = "first.jsonl" }}, {{ path = "second.jsonl", weight = 2.0 }}]

[curriculum]
mode = "difficulty"

[evaluation]
every = 2
samples = 2
k = [1, 2]
held_out = [{{ path = "held_out.jsonl" }}]

[output]
directory = "run"
save_every = 1
trackers = []
"""


class Letters(deque):
    """A script without end: a response scores the share of its characters that are letters.

    ``refusals``: so many calls, after the first ``after``, find the server away. ``falls_after``: the first so many
    groups get full marks for every second response, all later ones get nothing.
    """

    def __init__(self, after=0, refusals=0, falls_after=None):
        super().__init__()
        self.calls = 0
        self._away = range(after, after + refusals)
        self._falls_after = falls_after

    def __bool__(self):
        return True

    def popleft(self):
        self.calls += 1
        return self._away_line if self.calls - 1 in self._away else self._graded

    def _graded(self, request, context):
        for place, sample in enumerate(request.samples):
            score = None if self._falls_after is None else float(self.calls <= self._falls_after and place % 2 == 0)
            yield reward_service_pb2.ScoreStreamResponse(result=_result(sample, score))

    def _away_line(self, request, context):
        yield reward_service_pb2.ScoreStreamResponse(result=_result(request.samples[0]))
        context.abort(grpc.StatusCode.UNAVAILABLE, "gone")


def _result(sample, score=None):
    if score is None:
        score = sum(letter.isalpha() for letter in sample.response) / max(len(sample.response), 1)
    ruling = "RULING_ACCEPTED" if score == 1 else "RULING_PARTIAL"
    return result_pb2.Result(sample_id=sample.sample_id, verdict=result_pb2.Verdict(score=score, ruling=ruling))


def write_run(folder, address, task=lambda i: {"mathAnswer": {"expected": str(i)}}):
    """Write configuration, tasks and model; return the configuration's path."""
    for name, count in (("first", 5), ("second", 8), ("held_out", 3)):
        lines = [{"task": task(i), "prompt": [{"role": "user", "content": f"{name} {i}?"}]} for i in range(count)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    make_tiny_model(folder / "model", hidden_size=64, layers=1)
    path = folder / "train.toml"
    path.write_text(CONFIG.format(address=address), "utf-8")
    return path


def trained(path, *changes):
    """Train in this process; return the curve."""
    config = load(path, changes)
    with vllm_warnings(), Screen(quiet=True) as screen:
        train(config, screen)
    return curve(path.parent / config.output.directory)


def curve(directory):
    """Return everything that a run measured but seconds, by step."""
    metrics = [
        {name: value for name, value in row.items() if not name.startswith(("time/", "generate/"))}
        for row in read_lines(directory / METRICS)
    ]
    return metrics, [
        (row["step"], row["name"], row["pass_at"], row["score"]) for row in read_lines(directory / EVALUATIONS)
    ]
