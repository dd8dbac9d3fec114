"""tinker-cookbook: an environment of one turn, and a builder of groups of it.

    builder = group_builder(task, prompt, renderer, group_size=8)

tinker-cookbook centres rewards within a group and has no mask: a Failure raises `UngradableError`, and the cookbook's
rollout strategy decides what becomes of the group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from trainer_client.adapters.rows import numbers, text_of
from trainer_client.adapters.source import RewardSource, UngradableError
from trainer_client.adapters.stacks import needed
from trainer_client.results import Failure

_INSTALL = "pip install tinker-cookbook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What all environments of a group share."""

    task: Any
    """`reward.v1.Task`, as a message, dictionary or JSON text."""
    prompt: Sequence[Mapping[str, str]]
    renderer: Any
    """tinker-cookbook's, for the model that is trained."""
    source: RewardSource = field(default_factory=RewardSource)


def group_builder(
    task: Any, prompt: Sequence[Mapping[str, str]], renderer: Any, *, group_size: int, **settings: Any
) -> Any:
    """Return an `EnvGroupBuilder` for ``group_size`` responses. ``settings``: those of `RewardSource`."""
    problem = Problem(task=task, prompt=prompt, renderer=renderer, source=RewardSource(**settings))
    return _classes()[1](problem, group_size)


def environment(problem: Problem) -> Any:
    """Return one `Env`."""
    return _classes()[0](problem)


@cache
def _classes() -> tuple[Any, Any]:
    types = needed("tinker_cookbook.rl.types", _INSTALL)
    empty = needed("tinker", _INSTALL).ModelInput.empty

    class RewardServerEnv(types.Env):  # type: ignore[misc, name-defined] # the cookbook's class, known when it is there
        """One question, one answer."""

        def __init__(self, problem: Problem) -> None:
            self._problem = problem

        async def initial_observation(self) -> tuple[Any, Any]:
            renderer = self._problem.renderer
            return renderer.build_generation_prompt(list(self._problem.prompt)), renderer.get_stop_sequences()

        async def step(self, action: list[int], *, extra: Any = None) -> Any:
            del extra
            message, _ = self._problem.renderer.parse_response(action)
            (result,) = await self._problem.source.grade_async([{"task": self._problem.task}], [text_of(message)])
            if isinstance(result, Failure):
                raise UngradableError(result)
            return types.StepResult(
                reward=result.score,
                episode_done=True,
                next_observation=empty(),
                next_stop_condition=self._problem.renderer.get_stop_sequences(),
                metrics=numbers(result),
                logs={"ruling": str(result.ruling), "summary": result.summary},
            )

    class RewardServerGroupBuilder(types.EnvGroupBuilder):  # type: ignore[misc, name-defined] # as above
        """A group of responses to one problem."""

        def __init__(self, problem: Problem, group_size: int) -> None:
            self._problem, self._group_size = problem, group_size

        async def make_envs(self) -> Sequence[Any]:
            return [RewardServerEnv(self._problem) for _ in range(self._group_size)]

        def logging_tags(self) -> list[str]:
            return ["reward_server"]

    for kind in (RewardServerEnv, RewardServerGroupBuilder):  # so that they can be pickled, as the cookbook asks
        kind.__module__, kind.__qualname__ = __name__, kind.__name__
    return RewardServerEnv, RewardServerGroupBuilder


def __getattr__(name: str) -> Any:
    """Make the classes when they are asked for, since their bases are the cookbook's."""
    found = {kind.__name__: kind for kind in _classes()} if name.startswith("RewardServer") else {}
    if name in found:
        return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
