"""verl: `compute_score` for one sample, for a batch, awaited; and a reward-loop manager.

    reward.custom_reward_function.path=pkg://trainer_client.adapters.verl
    reward.custom_reward_function.name=compute_score_async

The ground truth is a task as JSON text, or what verl's own data sets have, by `data_source`. verl has no way to leave
a sample out: by default a Failure raises `UngradableError`. With ``on_failure: number`` in `reward_kwargs` it scores
``failure_score`` (0), and the column `gradable` is 0: filter by it before advantages are computed.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from trainer_client.adapters.source import RewardSource, scored
from trainer_client.adapters.stacks import needed


def compute_score(
    data_source: str, solution_str: str, ground_truth: Any, extra_info: Any = None, **settings: Any
) -> dict[str, float]:
    """Return the score of one response, beside numbers to log; the keys are the same for every sample."""
    source, failures = _settings(settings)
    row = _row(data_source, ground_truth, extra_info)
    return scored(source.grade([row], [solution_str])[0], **failures)


async def compute_score_async(
    data_source: str, solution_str: str, ground_truth: Any, extra_info: Any = None, **settings: Any
) -> dict[str, float]:
    """The same, awaited: what verl's reward loop calls best, one coroutine a sample."""
    source, failures = _settings(settings)
    row = _row(data_source, ground_truth, extra_info)
    return scored((await source.grade_async([row], [solution_str]))[0], **failures)


def compute_scores(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[Any],
    extra_infos: Sequence[Any] | None = None,
    **settings: Any,
) -> list[dict[str, float]]:
    """Return the scores of a batch, graded in one call: for verl's batch reward manager."""
    source, failures = _settings(settings)
    extras = [None] * len(data_sources) if extra_infos is None else extra_infos
    rows = [_row(*each) for each in zip(data_sources, ground_truths, extras, strict=True)]
    return [scored(result, **failures) for result in source.grade(rows, list(solution_strs))]


def _settings(settings: Mapping[str, Any]) -> tuple[RewardSource, dict[str, Any]]:
    """Divide `reward_kwargs` into the source and what failures become; verl's own keywords are left out."""
    known = RewardSource.__dataclass_fields__
    failures = {name: settings[name] for name in ("on_failure", "failure_score") if name in settings}
    return RewardSource(**{name: value for name, value in settings.items() if name in known}), failures


def _row(data_source: str, ground_truth: Any, extra_info: Any) -> dict[str, Any]:
    """Return the three as a row; a task in `extra_info` counts first."""
    extra = extra_info if isinstance(extra_info, Mapping) else {}
    return {"data_source": data_source, "ground_truth": ground_truth, "task": extra.get("task")}


@cache
def _manager() -> Any:
    base = needed("verl.experimental.reward_loop.reward_manager.base", "pip install verl").RewardManagerBase

    class RewardServerManager(base):  # type: ignore[misc, valid-type] # verl's class, known when it is there
        """Grades the last sequence of a rollout through `compute_score_async`, with the settings of `reward_kwargs`."""

        def __init__(self, config: Any, tokenizer: Any, compute_score: Any = None, **router: Any) -> None:
            super().__init__(config, tokenizer, compute_score)
            custom = (config.get("reward") or {}).get("custom_reward_function") or {}
            self._settings = dict(custom.get("reward_kwargs") or {})
            del router  # a reward model's, which this one does not ask

        async def run_single(self, data: Any) -> dict[str, Any]:
            """Return the reward of one sample and the columns to log."""
            item = data[-1:][0]
            responses = item.batch["responses"]
            length = int(item.batch["attention_mask"][-responses.shape[-1] :].sum())
            answer = await self.loop.run_in_executor(
                None, lambda: self.tokenizer.decode(responses[:length], skip_special_tokens=True)
            )
            fields = item.non_tensor_batch
            numbers = await compute_score_async(
                data_source=fields["data_source"],
                solution_str=answer,
                ground_truth=fields["reward_model"]["ground_truth"],
                extra_info=fields.get("extra_info"),
                **self._settings,
            )
            return {"reward_score": numbers["score"], "reward_extra_info": numbers}

    RewardServerManager.__module__, RewardServerManager.__qualname__ = __name__, "RewardServerManager"
    return RewardServerManager


def __getattr__(name: str) -> Any:
    """Make the manager when it is asked for, since its base is verl's."""
    if name == "RewardServerManager":
        return _manager()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
