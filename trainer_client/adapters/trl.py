"""TRL: a reward function for `GRPOTrainer` and its kin, sync or async.

    trainer = GRPOTrainer(model=..., reward_funcs=reward_function("127.0.0.1:50051"), train_dataset=..., args=...)

The data set has a column `task` with tasks as JSON text, or columns of a format that `convert` names. A Failure is
None, which TRL leaves out of the group's advantages and of the loss.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from trainer_client.adapters.rows import shares, text_of
from trainer_client.adapters.source import RewardSource, columns_to_rows
from trainer_client.results import Result, Verdict
from trainer_client.rewards import reward

_NOT_COLUMNS = ("trainer_state", "log_extra", "log_metric", "environments", "completion_ids")


def reward_function(address: str = "", *, name: str = "reward_server", **settings: Any) -> Callable[..., Any]:
    """Return a reward function; TRL logs its mean under ``name``. ``settings``: those of `RewardSource`."""
    source = RewardSource(address=address, **settings)

    def grade(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
        results = source.grade(_rows(prompts, columns), [text_of(completion) for completion in completions])
        return _rewards(results, columns, name)

    grade.__name__ = name
    return grade


def async_reward_function(
    address: str = "", *, name: str = "reward_server", **settings: Any
) -> Callable[..., Awaitable[list[float | None]]]:
    """Return the same as a coroutine function, which TRL awaits beside its other async reward functions."""
    source = RewardSource(address=address, **settings)

    async def grade(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
        texts = [text_of(completion) for completion in completions]
        return _rewards(await source.grade_async(_rows(prompts, columns), texts), columns, name)

    grade.__name__ = name
    return grade


def _rows(prompts: Sequence[Any], columns: dict[str, Any]) -> list[dict[str, Any]]:
    kept = {key: values for key, values in columns.items() if key not in _NOT_COLUMNS}
    return columns_to_rows({**kept, "prompt": prompts}, len(prompts))


def _rewards(results: Sequence[Result], columns: dict[str, Any], name: str) -> list[float | None]:
    """Return the rewards, after the batch's shares and each completion's ruling were logged where TRL lets us."""
    if log_metric := columns.get("log_metric"):
        for key, value in shares(results).items():
            log_metric(f"{name}/{key}", value)
    if log_extra := columns.get("log_extra"):
        log_extra(f"{name}/ruling", [_ruling(result) for result in results])
    return [reward(result) for result in results]


def _ruling(result: Result) -> str:
    return str(result.ruling) if isinstance(result, Verdict) else f"failure_{result.reason}"
