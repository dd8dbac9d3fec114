"""Groups with results, made by hand."""

from trainer_client.results import Check, Failure, FailureReason, Flag, Ruling, Verdict
from trainer_client.training.rollout import Completion
from trainer_client.training.scoring import Episode, ScoredGroup
from trainer_client.training.tasks import Task


def verdict(score, *flags, ruling=None, checks=()):
    return Verdict(
        score=score,
        ruling=ruling or (Ruling.ACCEPTED if score == 1 else Ruling.PARTIAL if score else Ruling.WRONG_ANSWER),
        flags=tuple(Flag(name=name, detail="") for name in flags),
        checks=tuple(Check(name=name, score=value, weight=1.0, detail="") for name, value in checks),
    )


def failure(reason=FailureReason.SANDBOX_UNAVAILABLE):
    return Failure(reason=reason)


def group(position, *results, finish_reason="stop"):
    completion = Completion(token_ids=(5, 6, 7), logprobs=(-1.0, -1.0, -1.0), text="...", finish_reason=finish_reason)
    return ScoredGroup(
        task_index=position,
        episodes=tuple(
            Episode(
                task_index=position,
                prompt_token_ids=(1, 2),
                completion=completion,
                result=result,
                reward=result.score if isinstance(result, Verdict) else None,
                masked="" if isinstance(result, Verdict) else result.reason.value,
            )
            for result in results
        ),
    )


def tasks(count, grader="math_answer"):
    return [
        Task(
            task={},
            name=f"a/{i}",
            source="a",
            grader=grader,
            prompt_token_ids=(1,),
            prompt="",
            demonstrations=(),
        )
        for i in range(count)
    ]
