"""Samples end to end, by hand, and micro-batches within their budget."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_client.training.packing import bins, pack, shares

LENGTHS = st.lists(st.integers(1, 30), max_size=40)


def test_packed_by_hand():
    """Two samples: prompt (1, 2) and completion (3, 4); prompt (5) and completion (6)."""
    packed = pack([((1, 2), (3, 4)), ((5,), (6,))])
    assert packed.input_ids.tolist() == [[1, 2, 3, 4, 5, 6]]
    assert packed.position_ids.tolist() == [[0, 1, 2, 3, 0, 1]]
    assert packed.boundaries.tolist() == [0, 4, 6]
    assert packed.longest == 4
    assert packed.samples == 2
    assert packed.predictors.tolist() == [1, 2, 4]
    assert packed.targets.tolist() == [3, 4, 6]
    assert packed.segments.tolist() == [0, 0, 1]


def test_a_completion_may_be_empty_and_a_prompt_may_not():
    """The first completion token has to be predicted by something."""
    packed = pack([((1, 2), ()), ((5,), (6,))])
    assert packed.targets.tolist() == [6]
    assert packed.segments.tolist() == [1]
    with pytest.raises(ValueError, match="sample 1 has an empty prompt"):
        pack([((1,), (2,)), ((), (6,))])
    with pytest.raises(ValueError, match="nothing"):
        pack([])


@given(LENGTHS, st.integers(5, 60))
@settings(deadline=None)
def test_bins_hold_everything_within_the_budget(lengths: list, capacity: int):
    """Each sample is in one of them; only a sample that is larger itself exceeds the budget, and it is alone."""
    found = bins(lengths, capacity)
    assert sorted(place for members in found for place in members) == list(range(len(lengths)))
    for members in found:
        assert members
        assert sum(lengths[member] for member in members) <= capacity or len(members) == 1


@given(st.lists(st.integers(1, 10), max_size=40))
@settings(deadline=None)
def test_bins_are_more_than_half_full(lengths: list):
    """All but one of them, since any two half-empty ones would have been one."""
    loads = [sum(lengths[member] for member in members) for members in bins(lengths, 10)]
    assert sum(load <= 5 for load in loads) <= 1


@given(LENGTHS, st.integers(5, 60), st.integers(1, 5))
@settings(deadline=None)
def test_devices_have_equally_many_turns(lengths: list, capacity: int, ranks: int):
    """Each sample is on one device, and no device waits for another in vain."""
    found = shares(lengths, capacity, ranks)
    assert len(found) == ranks
    assert len({len(turns) for turns in found}) == 1
    everything = [place for turns in found for members in turns for place in members]
    assert sorted(everything) == list(range(len(lengths)))
