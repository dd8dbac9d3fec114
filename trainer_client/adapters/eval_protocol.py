"""eval-protocol: grade an `EvaluationRow`, for use under `@evaluation_test`.

    @evaluation_test(...)
    async def test_code(row: EvaluationRow) -> EvaluationRow:
        return await evaluated(row)

The row's ground truth is a task as JSON, or one of the source's ``data_source``. A Failure has `is_score_valid=False`.
"""

from typing import Any

from trainer_client.adapters.rows import text_of
from trainer_client.adapters.source import RewardSource
from trainer_client.adapters.stacks import needed
from trainer_client.results import Failure

_INSTALL = "pip install eval-protocol"


async def evaluated(row: Any, source: RewardSource | None = None) -> Any:
    """Return ``row`` with its evaluation result: the score, and each check of the verdict as a metric."""
    models = needed("eval_protocol.models", _INSTALL)
    grading = source or RewardSource()
    (result,) = await grading.grade_async([{"ground_truth": row.ground_truth}], [text_of(row.messages)])
    if isinstance(result, Failure):
        error = f"{result.reason}: {result.message}"
        row.evaluation_result = models.EvaluateResult(score=0.0, is_score_valid=False, reason=error, error=error)
        return row
    metrics = {
        check.name: models.MetricResult(score=check.score, reason=check.detail or "as expected")
        for check in result.checks
    }
    reason = f"{result.ruling}: {result.summary}"
    row.evaluation_result = models.EvaluateResult(score=result.score, reason=reason, metrics=metrics)
    return row
