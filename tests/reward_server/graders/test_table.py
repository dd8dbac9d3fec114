"""The table of graders, and that each is complete."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from reward.v1 import sample_pb2

from reward_server.graders import GRADERS

ROOT = Path(__file__).parents[3]
FIELDS = {field.name for field in sample_pb2.Task.DESCRIPTOR.oneofs_by_name["grader"].fields}
PLACES = ("proto/reward/v1/{}.proto", "reward_server/tasks/{}.py", "reward_server/graders/{}.py")


def test_every_grader_of_the_contract_is_in_the_table():
    """The table has one row for each field of `Task.grader`, and no other."""
    assert set(GRADERS) == FIELDS


@pytest.mark.parametrize("name", GRADERS)
@pytest.mark.parametrize("place", PLACES)
def test_a_grader_has_its_files(name, place):
    """A grader is a handful of files of one name."""
    assert (ROOT / place.format(name)).is_file()


@pytest.mark.parametrize("name", GRADERS)
def test_a_grader_has_vectors(name):
    """A grader comes with cases as data: one file of its name, or several that begin with it."""
    assert list((ROOT / "tests" / "vectors").glob(f"{name}*.jsonl"))


@pytest.mark.parametrize("name", GRADERS)
def test_a_grader_says_who_it_is(name):
    """Name and version are what results say of their origin; its guests exist."""
    entry = GRADERS[name]
    assert entry.grader.name == name
    assert entry.grader.version
    assert all(find_spec(f"sandboxes.guests.{guest}") for guest in entry.guests)
