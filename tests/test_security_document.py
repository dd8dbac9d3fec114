"""What docs/security.md names exists: files, tests, checks and flags."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`((?:tests|sandboxes)/[\w/.]+)(?:::(\w+))?`", TEXT)))
FLAGS = sorted(set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", TEXT[TEXT.index("## Flags") : TEXT.index("## No response")])))
SOURCES = "\n".join(
    path.read_text("utf-8") for part in ("reward_server", "sandboxes") for path in (ROOT / part).rglob("*.py")
)


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda word: word)
def test_a_test_that_is_named_exists(path, name):
    """A reference is a file, and a function in it."""
    assert (ROOT / path).exists()
    if name:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_that_is_named_can_be_raised(flag):
    """A flag is written out in the sources, or is a reason for which system calls are denied."""
    assert f'"{flag}"' in SOURCES or f'"{flag.removesuffix("_attempt")}"' in SOURCES


def test_references_are_found():
    """The patterns above find what they are for."""
    assert len(NAMED) >= 20
    assert {"early_exit", "hedged_answer", "network_attempt"} <= set(FLAGS)
