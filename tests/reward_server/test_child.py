"""A server as a child process."""

import psutil
import pytest

from reward_server.child import ServerDiedError, child_server
from trainer_client import RewardClient, Sample, reward


def test_it_serves_and_leaves_nothing():
    """The server answers at the address it is given with, and is gone afterwards with all its processes."""
    before = set(psutil.Process().children(recursive=True))  # of other tests, e.g. multiprocessing's tracker
    with child_server("--sandbox", "local", "--boxes", "1") as address, RewardClient(address) as client:
        (result,) = client.score([Sample({"mathAnswer": {"expected": "1/2"}}, r"\boxed{0.5}")])
        assert reward(result) == 1.0
        processes = set(psutil.Process().children(recursive=True)) - before
        assert processes
    assert not [process for process in processes if process.is_running() and process.status() != "zombie"]


def test_why_it_did_not_start():
    """A server that cannot start raises with its own words."""
    with pytest.raises(ServerDiedError, match="no-such-file"), child_server("--config", "no-such-file"):
        pass
