"""Install packages into an environment: `python .ci/install.py PYTHON ARGUMENTS…`, with the arguments of `pip install`.

uv does it, several times faster than pip, from the indexes, links and constraints that pip is configured with. Where uv
is not installed beside this, pip has a setting that uv would not follow, or uv does not succeed, pip does it.
"""

import ast
import os
import subprocess
import sys
from importlib.util import find_spec

_OPTIONS = ("find-links", "constraint")
"""Settings of pip that are options of uv by the same name; each may hold several words."""
_VARIABLES = {"index-url": "UV_INDEX_URL", "extra-index-url": "UV_EXTRA_INDEX_URL", "cert": "SSL_CERT_FILE"}
"""Settings that go by the environment: addresses may hold passwords, and a command line is seen by all."""
_IRRELEVANT = {
    *("timeout", "default-timeout", "retries", "cache-dir", "no-cache-dir", "root-user-action"),
    *("disable-pip-version-check", "progress-bar", "no-color", "no-input", "quiet"),
}
"""Settings that change nothing of what is installed."""


def settings() -> dict[str, str]:
    """Return what pip is configured with, by files and environment, for `install`."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in found:
            found[section][key] = str(ast.literal_eval(value))
    return found["global"] | found["install"] | found[":env:"]


def by_uv(python: str, arguments: list[str]) -> bool:
    """Let uv install; return whether it did."""
    configured = settings()
    if find_spec("uv") is None or configured.keys() - _IRRELEVANT - _VARIABLES.keys() - set(_OPTIONS):
        return False
    variables = {name: configured[key] for key, name in _VARIABLES.items() if key in configured}
    options = [part for key in _OPTIONS for word in configured.get(key, "").split() for part in (f"--{key}", word)]
    # What pip does: of all indexes the best version, not that of the first which has any.
    command = ["pip", "install", "--python", python, "--index-strategy", "unsafe-best-match", *options, *arguments]
    done = subprocess.run(
        [sys.executable, "-m", "uv", *command], env=variables | os.environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(f"{done.stderr[-2000:]}uv did not manage; pip tries\n")
    return done.returncode == 0


def main() -> int:
    """Install by uv or by pip; return the exit status."""
    python, *arguments = sys.argv[1:]
    if by_uv(python, arguments):
        return 0
    command = [sys.executable, "-m", "pip", "--python", python, "install", *arguments]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
