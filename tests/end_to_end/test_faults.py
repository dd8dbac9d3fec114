"""The short form of the fault injection; the long form is the script `faults.py` itself."""

import faults
import pytest


@pytest.mark.timeout(900)
@pytest.mark.parametrize("sandbox", ["local", pytest.param("docker", marks=pytest.mark.docker)])
def test_faults_change_no_verdict_and_lose_nothing(sandbox):
    """Under kills, stops, vanishing clients and bad messages every verdict is the quiet run's, and nothing stays."""
    report = faults.inject(sandbox, seconds=15.0, seed=7)
    assert report.problems == []
    assert report.verdicts > 0
    assert report.faults.total() > 0
