"""Adapters against recorded shapes of what their stacks call with and take; the stacks themselves are not needed here.

`tests/integrations` has the same with the real packages, where they can be installed.
"""

import json
import subprocess
import sys
import types
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from trainer_client.adapters import openrlhf, rllm, skyrl, slime, trl, verl
from trainer_client.adapters.source import UngradableError

ROOT = Path(__file__).parents[3]
TASK = json.dumps({"mathAnswer": {"expected": "4"}})
STACKS = {
    "verl": lambda module: module.RewardServerManager,
    "openrlhf": lambda module: module.reward_func([], [], []),
    "nemo_rl": lambda module: module.mask_ungraded({"extra_env_info": []}),
    "tinker": lambda module: module.RewardServerEnv,
    "inspect_ai": lambda module: module.reward_scorer(),
    "skyrl": lambda module: module.RewardServerEnv,
    "rllm": lambda module: module.reward_function("127.0.0.1:1")({"task": TASK}, "1"),
}


IMPORTS = """
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from pkgutil import iter_modules

ALLOWED = {"converters", "google", "grpc", "reward", "trainer_client", "typing_extensions"} | sys.stdlib_module_names

class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ALLOWED:
            raise ModuleNotFoundError(f"{name} is not in the base install", name=name)

sys.meta_path.insert(0, Refuse())
import trainer_client.adapters
names = [f"trainer_client.adapters.{found.name}" for found in iter_modules(trainer_client.adapters.__path__)]
print(*[import_module(name).__name__ for name in names])
"""


def test_importing_adapters_imports_no_stack():
    """Every adapter can be imported with the base install alone."""
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert {f"trainer_client.adapters.{name}" for name in STACKS} < set(done.stdout.split())


@pytest.mark.parametrize("name", STACKS)
def test_a_missing_stack_says_what_to_install(name, monkeypatch):
    """Using an adapter without its stack is an ImportError that names the command."""
    for stack in ("verl", "torch", "tinker_cookbook", "inspect_ai", "rllm", "skyrl_gym"):
        monkeypatch.setitem(sys.modules, stack, None)
        monkeypatch.delitem(sys.modules, f"{stack}.rl.types", raising=False)
    with pytest.raises(ImportError, match=r"this adapter needs .*install"):
        STACKS[name](import_module(f"trainer_client.adapters.{name}"))


def test_trl(server):
    """TRL's call: columns as lists, None where nothing was graded, and the logs that TRL offers."""
    metrics, columns = {}, {}
    function = trl.reward_function(server.address, name="answers")
    rewards = function(
        prompts=[[{"role": "user", "content": "?"}]] * 3,
        completions=[[{"role": "assistant", "content": text}] for text in ("1", "0.5", "none")],
        completion_ids=[[1], [2], [3]],
        task=[TASK] * 3,
        trainer_state=types.SimpleNamespace(global_step=1),
        log_metric=metrics.__setitem__,
        log_extra=columns.__setitem__,
    )
    assert rewards == [1.0, 0.5, None]
    assert function.__name__ == "answers"
    assert columns == {"answers/ruling": ["accepted", "partial", "failure_grader_error"]}
    assert metrics["answers/check/number"] == 0.75
    assert metrics["answers/gradable"] == pytest.approx(2 / 3)


async def test_trl_async(server):
    """The coroutine function gives the same; a format of rows makes the tasks."""
    function = trl.async_reward_function(server.address, convert="gsm8k")
    columns = {"question": ["?", "?"], "answer": ["#### 4", "no mark"], "trainer_state": None}
    assert await function(prompts=["?", "?"], completions=["1", "1"], completion_ids=[[1], [2]], **columns) == [
        1.0,
        None,
    ]


async def test_verl(server):
    """Verl's three calls: keywords, router arguments that are not ours, and the same keys in every row."""
    settings = {"address": server.address, "reward_router_address": "x", "reward_model_tokenizer": None}
    extra = {"num_turns": None, "rollout_reward_scores": {}}
    one = {"data_source": "openai/gsm8k", "ground_truth": "4", "extra_info": extra, **settings}
    scores = {"score": 0.5, "gradable": 1.0, "accepted": 0.0, "flags": 0.0}
    assert verl.compute_score(solution_str="0.5", **one) == scores
    assert await verl.compute_score_async(solution_str="0.5", **one) == scores
    with pytest.raises(UngradableError):
        verl.compute_score(solution_str="none", **one)
    batch = verl.compute_scores(
        data_sources=["openai/gsm8k", "my/own", "my/own"],
        solution_strs=["0.5", "1", "1"],
        ground_truths=["4", TASK, "unknown"],
        extra_infos=[extra, None, {"task": None}],
        on_failure="number",
        failure_score=-1.0,
        **settings,
    )
    assert [row["score"] for row in batch] == [0.5, 1.0, -1.0]
    assert [row["gradable"] for row in batch] == [1.0, 1.0, 0.0]
    assert len({tuple(row) for row in batch}) == 1


@dataclass
class SlimeSample:
    """The fields of slime's `Sample` that a reward function may use, as of August 2026."""

    prompt: Any = ""
    response: str = ""
    label: Any = None
    metadata: dict = field(default_factory=dict)
    remove_sample: bool = False


async def test_slime(server):
    """slime: what was not graded is removed, and in a group it moves nobody's advantage."""
    args = types.SimpleNamespace(rm_url=f"grpc://{server.address}")
    assert await slime.custom_rm(args, SlimeSample(response="0.5", label=TASK)) == 0.5
    lost = SlimeSample(response="none", label=TASK)
    assert await slime.custom_rm(args, lost) == 0.0
    assert lost.remove_sample
    group = [SlimeSample(response=text, label=TASK) for text in ("1", "none", "0.5")]
    assert await slime.group_rm(args, group) == [1.0, 0.75, 0.5]
    assert [sample.remove_sample for sample in group] == [False, True, False]
    assert [sample.metadata["reward_server"]["gradable"] for sample in group] == [1.0, 0.0, 1.0]
    unknown = [SlimeSample(response="1", label="what is this?")]
    assert await slime.group_rm(args, unknown) == [0.0]
    assert unknown[0].remove_sample


def test_skyrl(server):
    """SkyRL: one step, done; a Failure stops the step, or is a number with a mark."""
    row = {"reward_spec": {"ground_truth": TASK}, "max_turns": 1}
    env = skyrl.OneTurn({"address": server.address}, row)
    assert env.init([{"role": "user", "content": "?"}])[1] == {}
    step = env.step("0.5")
    assert (step["reward"], step["done"], step["metadata"]["reason"]) == (0.5, True, "partial")
    assert env.get_metrics() == {"gradable": 1.0, "accepted": 0.0, "flags": 0.0}
    with pytest.raises(UngradableError):
        env.step("none")
    lenient = skyrl.OneTurn({"address": server.address, "on_failure": "number"}, row)
    step = lenient.step("none")
    assert (step["reward"], step["metadata"]["gradable"]) == (0.0, 0.0)
    assert env.aggregate_metrics([{"gradable": 1.0}, {"gradable": 0.0}]) == {"gradable": 0.5}


@dataclass
class RewardOutput:
    """rLLM's, as of August 2026."""

    reward: float
    metadata: dict = field(default_factory=dict)
    is_correct: bool | None = None


def test_rllm(server, monkeypatch):
    """rLLM: its output for a verdict; a Failure is an error, or unknown with a number."""
    for name in ("rllm", "rllm.rewards"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    shapes = types.ModuleType("rllm.rewards.reward_types")
    shapes.RewardOutput = RewardOutput
    monkeypatch.setitem(sys.modules, shapes.__name__, shapes)
    output = rllm.reward_function(server.address)({"task": TASK, "question": "?"}, types.SimpleNamespace(action="1"))
    assert (output.reward, output.is_correct, output.metadata["reason"]) == (1.0, True, "accepted")
    with pytest.raises(UngradableError):
        rllm.reward_function(server.address)({"task": TASK}, "none")
    output = rllm.reward_function(server.address, on_failure="number")({"task": TASK}, "none")
    assert (output.reward, output.is_correct, output.metadata["gradable"]) == (0.0, None, 0.0)


@pytest.mark.parametrize(
    ("query", "prompt", "response"),
    [
        ("What?4", "What?", "4"),
        ("<s>What? \\boxed{1}\n4<|im_end|>", "What? \\boxed{1}\n", "4"),
        ("??", "?", "?"),
    ],
)
def test_openrlhf_tells_responses_from_prompts(query, prompt, response):
    """Only what follows the prompt is graded, without the marks around it."""
    assert openrlhf._response(query, prompt) == response


def test_openrlhf_refuses_what_it_cannot_tell_apart():
    """A query that does not contain its prompt is not graded as if all of it were the response."""
    with pytest.raises(UngradableError, match="does not contain its prompt"):
        openrlhf._response("other words", "the prompt")
