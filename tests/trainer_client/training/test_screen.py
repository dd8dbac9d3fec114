"""What a person sees: as much as fits."""

import pytest

from trainer_client.training.screen import fitted


@pytest.mark.parametrize(
    ("width", "line"), [(40, "reward 0.5  loss 0.1  KL 3"), (20, "reward 0.5  loss 0.1"), (19, "reward 0.5"), (5, "")]
)
def test_values_are_shown_whole_or_not_at_all(width, line):
    """A narrow terminal shows the first values, and none cut in the middle."""
    assert fitted(["reward 0.5", "loss 0.1", "KL 3"], width) == line
