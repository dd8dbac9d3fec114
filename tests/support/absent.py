"""What becomes of a test whose engine or image is absent: skipped, or failed where CI says that all must be there."""

import os
from typing import NoReturn

import pytest


def absent(reason: str) -> NoReturn:
    if os.environ.get("REWARD_DOCKER_TESTS") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
