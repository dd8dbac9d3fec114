from pathlib import Path

import pytest

from reward_server.config import Config, ConfigError, load
from sandboxes.base import AssuranceLevel, Limits


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "server.toml"
        path.write_text(text)
        return path

    return write


def test_defaults_listen_on_loopback_only():
    """Without a word of configuration nobody else on the network reaches the server."""
    assert load(None, {}) == Config()
    assert Config().listen.startswith("127.0.0.1:")


def test_a_file_sets_values_and_flags_win(write):
    """Flags that are given win over the file, the file over the defaults; absent flags say nothing."""
    path = write('listen = "127.0.0.1:1"\nboxes = 3\ndrain_seconds = 5\nminimum_assurance = "container"')
    config = load(path, {"boxes": 7, "listen": None})
    assert (config.listen, config.boxes, config.drain_seconds) == ("127.0.0.1:1", 7, 5.0)
    assert config.minimum_level is AssuranceLevel.CONTAINER


def test_limits_are_tables(write):
    """A table of limits changes what it names and leaves the rest."""
    config = load(write("[default_limits]\ncpu_seconds = 2\nmemory_bytes = 1000"), {})
    assert config.default_limits == Limits(cpu_seconds=2.0, memory_bytes=1000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bxoes = 3", "bxoes: there is no such key; did you mean boxes?"),
        ("[default_limits]\ncpu_second = 3", "default_limits.cpu_second: .*did you mean default_limits.cpu_seconds"),
        ("default_limits = 3", "default_limits: a table is expected"),
        ("boxes = '3'", "boxes: '3' is no int"),
        ("boxes = true", "boxes: True is no int"),
        ("boxes = -1", "boxes: -1 is less than 0"),
        ("sandbox = 'podman'", "sandbox: 'podman' is none of auto, docker, local"),
        ("minimum_assurance = 'high'", "minimum_assurance: 'high' is none of low, namespace"),
        ("tls_key = 'k'", "tls_certificate and tls_key: both or neither"),
        ("max_samples_per_request = 9\nmax_queued_samples = 8", "max_samples_per_request: 9 samples never fit"),
        ("[default_limits]\ncpu_seconds = 1000", "default_limits.cpu_seconds: 1000.0 is not above 0 and at most 120"),
        ("[default_limits]\nprocesses = 0", "default_limits.processes: 0 is not above 0"),
        ("[judges.small]\nmodel = 'm'", "judges.small.url: '' begins neither with http"),
        ("[judges.small]\nurl = 'http://h/v1'", "judges.small.model: it is missing"),
        ("[judges.small]\nurl = 'http://h/v1'\nmodel = 'm'\nattempts = 0", "judges.small.attempts: 0 is not above 0"),
        ("boxes = ", "server.toml"),
    ],
)
def test_what_cannot_be_is_refused_by_name(write, text, message):
    """A wrong key or value is an error that names the key, never ignored."""
    with pytest.raises(ConfigError, match=message):
        load(write(text), {})


def test_a_missing_file_is_an_error():
    """A configuration that was named must be there."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load(Path("nowhere.toml"), {})
