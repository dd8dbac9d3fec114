"""skyrl-gym makes our environment by its registry and steps it."""

import json

import pytest
import skyrl_gym

from trainer_client.adapters.source import UngradableError

CODE = json.dumps({"codeTests": {"stdioTests": [{"stdin": "2", "expectedStdout": "4"}]}})
skyrl_gym.register(id="reward_server", entry_point="trainer_client.adapters.skyrl:RewardServerEnv")


def made(address, ground_truth, data_source="my/own", **config):
    extras = {"reward_spec": {"method": "rule", "ground_truth": ground_truth}, "data_source": data_source}
    return skyrl_gym.make("reward_server", env_config={"address": address, **config}, extras=extras)


def test_steps(address):
    """A right and a wrong program, and an answer of a data set by its name, get their rewards in one step."""
    prompt = [{"role": "user", "content": "Print twice the number."}]
    for ground_truth, source, action, reward in (
        (CODE, "my/own", "```python\nprint(2 * int(input()))\n```", 1.0),
        (CODE, "my/own", "```python\nprint(5)\n```", 0.0),
        ("72", "openai/gsm8k", "#### 72", 1.0),
    ):
        env = made(address, ground_truth, source)
        assert env.init(prompt) == (prompt, {})
        step = env.step(action)
        assert (step["reward"], step["done"], step["observations"]) == (reward, True, [])
        assert env.get_metrics()["gradable"] == 1.0
        env.close()


def test_a_dead_sandbox(dead):
    """A Failure stops the step, or is a number with a mark when that was asked for."""
    with pytest.raises(UngradableError, match="sandbox_unavailable"):
        made(dead, CODE).step("print(1)")
    lenient = made(dead, CODE, on_failure="number")
    step = lenient.step("print(1)")
    told = step["metadata"]
    assert (step["reward"], told["gradable"], told["reason"]) == (0.0, 0.0, "sandbox_unavailable")
    assert lenient.get_metrics()["gradable"] == 0.0
