"""slime: ``--custom-rm-path trainer_client.adapters.slime.custom_rm``, or ``group_rm`` with ``--group-rm``.

Labels are tasks as JSON text, or ground truths of REWARD_SERVER_DATA_SOURCE; a sample's metadata may have the task
instead. A Failure sets `remove_sample`, which
zeroes the sample's loss mask. slime still counts its reward in the group's mean: `group_rm` gives it the mean of those
that were graded, so that it moves no advantage; `custom_rm`, which sees no group, gives 0.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trainer_client.adapters.rows import numbers, text_of
from trainer_client.adapters.source import RewardSource
from trainer_client.results import Result
from trainer_client.rewards import reward

_SOURCE = RewardSource()


async def custom_rm(args: Any, sample: Any, **others: Any) -> float:
    """Return the reward of one sample."""
    del others
    (result,) = await _source(args).grade_async([_row(sample)], [text_of(sample.response)])
    _note(sample, result)
    score = reward(result)
    return 0.0 if score is None else score


async def group_rm(args: Any, samples: Sequence[Any], **others: Any) -> list[float]:
    """Return the rewards of a group, graded in one call."""
    del others
    responses = [text_of(sample.response) for sample in samples]
    results = await _source(args).grade_async([_row(sample) for sample in samples], responses)
    for sample, result in zip(samples, results, strict=True):
        _note(sample, result)
    scores = [reward(result) for result in results]
    graded = [score for score in scores if score is not None]
    mean = sum(graded) / len(graded) if graded else 0.0
    return [mean if score is None else score for score in scores]


def _source(args: Any) -> RewardSource:
    """``--rm-url`` with a scheme of grpc names the server; else the environment does."""
    url = str(getattr(args, "rm_url", None) or "")
    return RewardSource(address=url.removeprefix("grpc://")) if url.startswith("grpc://") else _SOURCE


def _row(sample: Any) -> dict[str, Any]:
    metadata = sample.metadata if isinstance(sample.metadata, Mapping) else {}
    return {"ground_truth": sample.label, **metadata}


def _note(sample: Any, result: Result) -> None:
    """Mark what must not be trained on; the numbers go where rollouts are logged from."""
    sample.remove_sample = sample.remove_sample or reward(result) is None
    if isinstance(sample.metadata, dict):
        sample.metadata["reward_server"] = numbers(result)
