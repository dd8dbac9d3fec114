from types import SimpleNamespace

import pytest

from trainer_client.training import occupancy
from trainer_client.training.occupancy import Occupancy


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(occupancy, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def test_what_overlaps_counts_once(clock):
    """Two at a time occupy no more than one; while nobody is inside nothing is counted."""
    busy = Occupancy()
    clock.seconds += 5
    with busy:
        clock.seconds += 1
        with busy:
            clock.seconds += 2
        clock.seconds += 4
        assert busy.seconds == 7
    clock.seconds += 50
    assert busy.seconds == 7


def test_an_error_ends_it_too(clock):
    """What breaks off inside is not counted on."""
    busy = Occupancy()

    def break_off():
        with busy:
            clock.seconds += 3
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    clock.seconds += 5
    assert busy.seconds == 3
