"""verifiers v1 scores a task whose reward asks our server."""

import pytest
import verifiers.v1 as vf
from verifiers.v1.configs.agent import AgentConfig

from trainer_client.adapters.source import RewardSource
from trainer_client.adapters.verifiers import trace_reward

AGENT = AgentConfig()
CODE = {"codeTests": {"stdioTests": [{"stdin": "2", "expectedStdout": "4"}]}}


class GradedData(vf.TaskData):
    graded: dict


class GradedTask(vf.Task[GradedData]):
    address = ""

    @vf.reward
    async def correct(self, trace: vf.Trace) -> float:
        return await trace_reward(trace, self.data.graded, RewardSource(address=self.address))


def traced(address, answer, graded):
    """A task, and the trace that its rollout would have left."""
    task = GradedTask(GradedData(prompt="Double it.", graded=graded))
    task.address = address
    trace = vf.Trace(
        task=vf.TraceTask(type="GradedTask", data=task.data, key=task.key, hash=task.hash),
        agent=vf.AgentInfo(config=AGENT),
        nodes=[
            vf.MessageNode(message=vf.UserMessage(content="Double it.")),
            vf.MessageNode(message=vf.AssistantMessage(content=answer), parent=0, sampled=True),
        ],
    )
    return task, trace


@pytest.mark.parametrize(("answer", "score"), [("print(2 * int(input()))", 1.0), ("print(5)", 0.0)])
async def test_rewards(address, answer, score):
    """A trace's last reply is graded, and the reward and its numbers stand on the trace."""
    task, trace = traced(address, answer, CODE)
    await task.score(trace)
    assert trace.rewards["correct"].score == score
    assert trace.metrics["reward_server_gradable"] == 1.0


@pytest.mark.parametrize(
    ("graded", "kind"),
    [(CODE, vf.SandboxError), ({"mathAnswer": {"expcted": "4"}}, vf.TaskError)],
    ids=["sandbox", "task"],
)
async def test_a_dead_sandbox(dead, graded, kind):
    """A Failure is an error of verifiers' own kind, and the trace has no score."""
    task, trace = traced(dead, "print(4)", graded)
    with pytest.raises(kind) as raised:
        await task.score(trace)
    trace.record_error(raised.value)
    assert trace.rewards["correct"] is None
    assert trace.last_error.type == kind.__name__
    assert trace.metrics["reward_server_gradable"] == 0.0
