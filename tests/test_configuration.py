"""docs/configuration.md says every key, and its example is a configuration."""

import dataclasses
import re
from pathlib import Path

from reward_server.config import Config, load

PAGE = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text("utf-8")


def test_every_key_is_documented():
    """A key that nobody can read about does not exist."""
    listed = {
        key
        for line in PAGE.splitlines()
        if line.startswith("| `")
        for key in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert listed == {field.name for field in dataclasses.fields(Config)}


def test_the_example_is_a_configuration(tmp_path):
    """The page's example loads, and means what it says."""
    file = tmp_path / "server.toml"
    file.write_text(PAGE.split("```toml\n")[1].split("```")[0], "utf-8")
    config = load(file, {})
    assert config.minimum_assurance == "container"
    assert config.default_limits.cpu_seconds == 10.0
    assert config.judges["qwen"].url.endswith("/v1")
