"""tinker-cookbook rolls out our environment groups with a policy of canned tokens."""

import json
import pickle

import pytest
import tiny_model
from tinker_cookbook.completers import TokenCompleter, TokensWithLogprobs
from tinker_cookbook.renderers import get_renderer
from tinker_cookbook.rl.rollouts import do_group_rollout

from trainer_client.adapters import tinker
from trainer_client.adapters.source import UngradableError

CODE = json.dumps({"codeTests": {"stdioTests": [{"stdin": "2", "expectedStdout": "4"}]}})
PROMPT = [{"role": "user", "content": "Print twice the number."}]


class Canned(TokenCompleter):
    """A policy that says what it was given, one answer a call."""

    def __init__(self, tokenizer, answers):
        self._tokens = [tokenizer.encode(f"{answer}\n\nUser:", add_special_tokens=False) for answer in answers]

    async def __call__(self, model_input, stop, *, max_tokens=None):
        tokens = self._tokens.pop(0)
        return TokensWithLogprobs(tokens=tokens, maybe_logprobs=[0.0] * len(tokens))


def builder(address, tokenizer):
    renderer = get_renderer("role_colon", tokenizer)
    return tinker.group_builder(CODE, PROMPT, renderer, group_size=2, address=address)


async def test_a_group(address):
    """A group's answers get their rewards and metrics."""
    tokenizer = tiny_model.tokenizer()
    policy = Canned(tokenizer, ["print(2 * int(input()))", "print(5)"])
    group = await do_group_rollout(builder(address, tokenizer), policy)
    assert group.get_total_rewards() == [1.0, 0.0]
    assert [trajectory.transitions[0].metrics["gradable"] for trajectory in group.trajectories_G] == [1.0, 1.0]


async def test_a_dead_sandbox(dead):
    """A Failure is an error for the cookbook's rollout strategy, never a reward."""
    tokenizer = tiny_model.tokenizer()
    with pytest.raises(UngradableError, match="sandbox_unavailable"):
        await do_group_rollout(builder(dead, tokenizer), Canned(tokenizer, ["print(4)"] * 2))


def test_builders_are_pickled():
    """The cookbook sends builders to workers; the classes are found by their names there."""
    problem = tinker.Problem(task=CODE, prompt=PROMPT, renderer=None)
    copy = pickle.loads(pickle.dumps(tinker.RewardServerGroupBuilder(problem, 2)))
    assert copy._problem == problem
