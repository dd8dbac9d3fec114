"""A classic Rubric of verifiers scores rollouts with our functions."""

import json

import pytest
import verifiers as vf

from trainer_client.adapters.verifiers import gradable, group_reward_function, reward_function

CODE = {"codeTests": {"stdioTests": [{"stdin": "2", "expectedStdout": "4"}]}}
RIGHT, WRONG = "print(2 * int(input()))", "print(5)"


def state(answer, info=None, truth=""):
    made = vf.State(input={"prompt": [{"role": "user", "content": "?"}], "answer": truth, "info": info or {}})
    made |= {"completion": [{"role": "assistant", "content": answer}], "timing": vf.RolloutTiming(), "trajectory": []}
    return made


@pytest.mark.parametrize("task", [CODE, json.dumps(CODE)], ids=["dictionary", "text"])
async def test_rollouts(address, task):
    """Each rollout is graded by the task in its info, and the metric says that it was."""
    rubric = vf.Rubric(funcs=[reward_function(address)])
    rubric.add_metric(gradable)
    for answer, reward in ((RIGHT, 1.0), (WRONG, 0.0)):
        rollout = state(answer, {"task": task})
        await rubric.score_rollout(rollout)
        assert (rollout["reward"], rollout["metrics"]) == (reward, {"reward_server": reward, "gradable": 1.0})
        assert rollout.get("error") is None


async def test_answers(address):
    """An answer is graded as what the data source says it is."""
    rubric = vf.Rubric(funcs=[reward_function(address, data_source="openai/gsm8k")])
    rollout = state("#### 72", truth="72")
    await rubric.score_rollout(rollout)
    assert rollout["reward"] == 1.0


async def test_groups(address):
    """A group is graded in one call."""
    rubric = vf.Rubric(funcs=[group_reward_function(address)])
    group = [state(answer, {"task": CODE}) for answer in (RIGHT, WRONG, RIGHT)]
    await rubric.score_group(group)
    assert [rollout["reward"] for rollout in group] == [1.0, 0.0, 1.0]


async def test_a_dead_sandbox(dead):
    """A Failure is an error on its rollout, where trainers look for what to drop, and the metric is 0."""
    rubric = vf.Rubric(funcs=[reward_function(dead)])
    rubric.add_metric(gradable)
    rollout = state(RIGHT, {"task": CODE})
    await rubric.score_rollout(rollout)
    assert isinstance(rollout["error"], vf.SandboxError)
    assert rollout["metrics"]["gradable"] == 0.0
    group = [state("\\boxed{4}", {"task": {"mathAnswer": {"expected": "4"}}}), state(RIGHT, {"task": CODE})]
    await vf.Rubric(funcs=[group_reward_function(dead)]).score_group(group)
    assert [rollout["reward"] for rollout in group] == [1.0, 1.0]
    assert [rollout.get("error") is None for rollout in group] == [True, False]
