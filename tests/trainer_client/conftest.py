"""A scripted server for every test that asks for one."""

from collections.abc import Iterator

import pytest
from scripted_server import ScriptedServer, serving


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as running:
        yield running
