"""OpenRLHF: `reward_func` for ``--reward.remote_url FILE.py``.

    from trainer_client.adapters.openrlhf import reward_func

is all that file needs. Labels are tasks as JSON text, or ground truths of REWARD_SERVER_DATA_SOURCE. OpenRLHF has no
mask: a Failure raises `UngradableError`, OpenRLHF logs it and leaves that reward empty, and the step then stops. A file
that calls `graded` with ``on_failure="number"`` gets 0 instead, and 0 in the log `gradable`.
"""

from collections.abc import Sequence
from typing import Any

from trainer_client.adapters.rows import invalid, without_end_marks
from trainer_client.adapters.source import RewardSource, UngradableError, scored
from trainer_client.adapters.stacks import needed

_SOURCE = RewardSource()


def reward_func(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]) -> dict[str, Any]:
    """Return rewards, scores for dynamic filtering (both from 0 to 1), and numbers to log, as tensors."""
    return graded(queries, prompts, labels, _SOURCE)


def graded(
    queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any], source: RewardSource, **failures: Any
) -> dict[str, Any]:
    """Return the same from a ``source`` of your own; ``failures``: `on_failure` and `failure_score` of `scored`."""
    tensor = needed("torch", "pip install openrlhf").tensor
    responses = [_response(query, prompt) for query, prompt in zip(queries, prompts, strict=True)]
    results = source.grade([{"ground_truth": label} for label in labels], responses)
    logs = [scored(result, **failures) for result in results]
    scores = [log.pop("score") for log in logs]
    names = logs[0] if logs else {}
    return {
        "rewards": tensor(scores),
        "scores": tensor(scores),
        "extra_logs": {name: tensor([log[name] for log in logs]) for name in names},
    }


def _response(query: str, prompt: str) -> str:
    """Return what follows the prompt, which may have a mark before it; its own words are never graded."""
    start = query.find(prompt)
    if start < 0:
        raise UngradableError(invalid("the query does not contain its prompt, so the response cannot be told from it"))
    return without_end_marks(query[start + len(prompt) :])
