"""verifiers: a reward for v1 tasks, and functions for the Rubric of classic environments (before 0.4).

    class MyTask(vf.Task[MyData]):                                                     # v1
        @vf.reward
        async def correct(self, trace):
            return await trace_reward(trace, self.data.task)
    rubric = vf.Rubric(funcs=[reward_function("127.0.0.1:50051")])                     # classic

v1: a Failure raises `SandboxError`, or `TaskError` where the task is at fault; the trace records it and has no score.
Classic: the task stands in the row's `info`, as `task`, or is its `answer`. A Rubric turns what is raised into 0, so a
Failure is put into `state["error"]` instead, where trainers look for rollouts to drop; add the metric `gradable` too.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from trainer_client.adapters.rows import numbers, text_of
from trainer_client.adapters.source import RewardSource, UngradableError
from trainer_client.adapters.stacks import needed
from trainer_client.results import Failure, FailureReason, Result
from trainer_client.rewards import reward

_INSTALL = "pip install verifiers"


async def trace_reward(trace: Any, task: Any, source: RewardSource | None = None) -> float:
    """Return the score of a v1 trace's last reply against ``task``, and record numbers as metrics."""
    reply = text_of(trace.assistant_messages if trace.root_reply is None else trace.root_reply)
    (result,) = await (source or RewardSource()).grade_async([{"task": task}], [reply])
    for name, value in numbers(result).items():
        trace.record_metric(f"reward_server_{name}", value)
    if not isinstance(result, Failure):
        return result.score
    errors = needed("verifiers.v1", _INSTALL)
    kind = errors.TaskError if result.reason is FailureReason.INVALID_TASK else errors.SandboxError
    raise kind(f"{result.reason}: {result.message}") from UngradableError(result)


def reward_function(address: str = "", **settings: Any) -> Callable[..., Awaitable[float]]:
    """Return a function for a classic Rubric. ``settings``: those of `RewardSource`."""
    source = RewardSource(address=address, **settings)

    async def reward_server(completion: Any, state: Any, answer: Any = "", info: Any = None) -> float:
        (result,) = await source.grade_async([_row(answer, info)], [text_of(completion)])
        _note(state, result)
        return reward(result) or 0.0

    return reward_server


def group_reward_function(address: str = "", **settings: Any) -> Callable[..., Awaitable[list[float]]]:
    """Return a group function for a classic Rubric, which asks once a group.

    What was not graded gets the mean of the others, so that it moves no advantage of theirs.
    """
    source = RewardSource(address=address, **settings)

    async def reward_server(
        completions: Sequence[Any], states: Sequence[Any], answers: Sequence[Any], infos: Sequence[Any]
    ) -> list[float]:
        rows = [_row(*each) for each in zip(answers, infos, strict=True)]
        results = await source.grade_async(rows, [text_of(completion) for completion in completions])
        for state, result in zip(states, results, strict=True):
            _note(state, result)
        scores = [reward(result) for result in results]
        graded = [score for score in scores if score is not None]
        mean = sum(graded) / len(graded) if graded else 0.0
        return [mean if score is None else score for score in scores]

    return reward_server


def gradable(state: Mapping[str, Any]) -> float:
    """Return 1 for a rollout that was graded: ``rubric.add_metric(gradable)``, after the reward function."""
    return float(state.get("reward_server", {}).get("gradable", 0.0))


def _row(answer: Any, info: Any) -> dict[str, Any]:
    return {"ground_truth": answer or None, **(info if isinstance(info, Mapping) else {})}


def _note(state: Any, result: Result) -> None:
    state["reward_server"] = numbers(result)
    if isinstance(result, Failure):
        state["error"] = needed("verifiers", _INSTALL).SandboxError(f"{result.reason}: {result.message}")
