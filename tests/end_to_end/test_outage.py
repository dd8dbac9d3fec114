"""The short form of the outage in the middle of a training run; the long form is the script `outage.py` itself."""

import outage
import pytest
import torch


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with outage.experiment(seconds=3.0, steps=18, after=3, folder=tmp_path_factory.mktemp("outage")) as made:
        yield made
    torch.set_num_threads(threads)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("policy", outage.POLICIES)
def test_no_fault_becomes_a_reward(experiment, policy):
    """The server is killed and comes back: rewards are those of a run in peace, or none, as it was configured."""
    experiment.problems.clear()
    experiment.outage(policy)
    assert experiment.problems == []
