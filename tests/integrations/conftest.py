"""Tests against other projects' packages, in environments of their own: see `.ci/integrations`.

Elsewhere nothing here is collected, so that `pytest` alone needs none of them.
"""

import os
from collections.abc import Iterator

import pytest
from dead_server import dead_server

from reward_server.child import child_server

collect_ignore_glob = [] if os.environ.get("REWARD_INTEGRATIONS") else ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "integrations" in item.path.parts:
            item.add_marker(pytest.mark.integrations)
            item.add_marker(pytest.mark.timeout(300))  # starting such packages alone takes long on a busy machine


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """A real server over the embedded sandbox."""
    with child_server("--sandbox", "local", "--boxes", "1") as address:
        yield address


@pytest.fixture(scope="session")
def dead() -> Iterator[str]:
    """A real server whose sandbox is dead: it serves, and can grade nothing that needs a box."""
    with dead_server() as address:
        yield address
