"""inspect_ai: a scorer.

    Task(dataset=..., solver=generate(), scorer=reward_scorer("127.0.0.1:50051"))

A sample's metadata has the task, as `task`; or its target is one, or a ground truth of ``data_source``. A Failure is
an unscored score, which metrics and reducers leave out.
"""

from typing import Any

from trainer_client.adapters.rows import numbers
from trainer_client.adapters.source import RewardSource
from trainer_client.adapters.stacks import needed
from trainer_client.results import Failure, Verdict


def reward_scorer(address: str = "", **settings: Any) -> Any:
    """Return a scorer of values from 0 to 1, with mean and standard error. ``settings``: those of `RewardSource`."""
    scoring = needed("inspect_ai.scorer", "pip install inspect-ai")
    source = RewardSource(address=address, **settings)

    @scoring.scorer(metrics=[scoring.mean(), scoring.stderr()], name="reward_server")  # type: ignore[untyped-decorator] # the stack's
    def reward_server() -> Any:
        async def score(state: Any, target: Any) -> Any:
            row = {"ground_truth": target.text, **(state.metadata or {})}
            (result,) = await source.grade_async([row], [state.output.completion])
            return _score(scoring.Score, result, state.output.completion)

        return score

    return reward_server()


def _score(kind: Any, result: Verdict | Failure, answer: str) -> Any:
    if isinstance(result, Failure):
        metadata = {**numbers(result), "failure": str(result.reason)}
        return kind.unscored(
            reason="scoring_failed", answer=answer, explanation=f"{result.reason}: {result.message}", metadata=metadata
        )
    checks = {check.name: check.score for check in result.checks}
    flags = [flag.name for flag in result.flags]
    metadata = {**numbers(result), "ruling": str(result.ruling), "checks": checks, "flag_names": flags}
    return kind(value=result.score, answer=answer, explanation=result.summary, metadata=metadata)
