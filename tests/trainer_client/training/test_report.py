"""The report: one page that needs nothing else, a picture, and no markup from a model."""

import json

import pytest

from trainer_client.training.report import write_report


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run.json").write_text(
        json.dumps({"run_id": "1a", "config": {"name": "try <1>", "model": {"name": "tiny"}, "steps": 3}}), "utf-8"
    )
    steps = [
        {"step": i, "reward/mean": i / 3, "check/sql_query/$row$": 0.5, "check/json/<b>": 0.1, "time/step": 2.0}
        for i in (1, 2, 3)
    ]
    (tmp_path / "metrics.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in steps) + '{"step": 4, "rew', "utf-8"
    )
    found = {"mean": 0.25, "low": 0.1, "high": 0.4, "error": 0.1, "tasks": 9}
    evaluations = [
        {"step": i, "name": "held", "general": False, "pass_at": {"1": found | {"mean": mean}}, "masked": 0.0}
        for i, mean in ((0, 0.25), (3, 0.75))
    ]
    (tmp_path / "evaluations.jsonl").write_text("".join(json.dumps(row) + "\n" for row in evaluations), "utf-8")
    sample = {"step": 1, "task": "a/1", "prompt": "?", "response": "<script>alert(1)</script>", "reward": None}
    (tmp_path / "samples.jsonl").write_text(json.dumps(sample | {"masked": "outage"}) + "\n", "utf-8")
    return tmp_path


def test_the_report(run):
    """The page has what changed, the picture and the responses, as text; half a line of a killed run is passed over."""
    page = write_report(run).read_text("utf-8")
    assert "3 of 3 steps" in page
    assert "+0.500" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert "try &lt;1&gt;" in page
    assert "src='data:image/png;base64," in page
    assert (run / "report.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_without_a_step(run):
    """A run that has only begun has a report too."""
    for name in ("metrics.jsonl", "evaluations.jsonl", "samples.jsonl"):
        (run / name).unlink()
    assert "no step yet" in write_report(run).read_text("utf-8")


def test_no_run(tmp_path):
    """A folder without a run is refused."""
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path)
