"""`trainer-client eval`: measure a model without training it."""

import json
import uuid
from pathlib import Path

from trainer_client.training import ranks
from trainer_client.training.checkpoint import write_atomically
from trainer_client.training.config import Config
from trainer_client.training.evaluation import SetReport, evaluate
from trainer_client.training.screen import Screen
from trainer_client.training.session import open_session
from trainer_client.training.tasks import TaskFileError


def run_evaluation(config: Config, screen: Screen, out: Path | None) -> list[SetReport]:
    """Evaluate the model that ``config`` names on its evaluation sets, and show what was found."""
    if not config.evaluation.sets:
        raise TaskFileError("evaluation.held_out and evaluation.general are empty: there is nothing to evaluate on")
    with open_session(config, uuid.uuid4().hex[:8], learn=False) as session:
        reports = evaluate(session.sampler, session.evaluation_sets, config.evaluation, 0)
        screen.evaluation(config.model.name, reports)
        if out is not None and ranks.rank() == 0:
            write_atomically(out, json.dumps([report.to_json() for report in reports], indent=1))
    return reports
