"""AReaL's own reward wrapper runs our function in its process pool.

`areal` starts its whole engine when it is imported, which cannot be installed here, so the wrapper's module is loaded
without its package's start-up.
"""

import importlib.util
import json
import sys
import types
from importlib.machinery import ModuleSpec

import pytest

from trainer_client.adapters.areal import RewardFunction
from trainer_client.adapters.source import RewardSource, UngradableError

CODE = json.dumps({"codeTests": {"stdioTests": [{"stdin": "2", "expectedStdout": "4"}]}})


@pytest.fixture(scope="module")
def wrapper():
    for name in ("areal", "areal.utils", "areal.api"):
        package = types.ModuleType(name)
        package.__path__ = importlib.util.find_spec(name).submodule_search_locations if name == "areal" else []
        if name != "areal":
            package.__path__ = [f"{next(iter(sys.modules['areal'].__path__))}/{name.partition('.')[2]}"]
        package.__spec__ = ModuleSpec(name, None, is_package=True)
        sys.modules[name] = package
    from areal.api.reward_api import AsyncRewardWrapper  # noqa: PLC0415 - after its packages were stood in for

    return AsyncRewardWrapper


async def test_rewards(wrapper, address):
    """A completion with its end mark is graded in a worker process, its task from the row."""
    reward = wrapper(RewardFunction(RewardSource(address=address)), max_workers=1)
    assert await reward("?", "print(2 * int(input()))<|im_end|>", [1], [2], task=CODE, answer="unused") == 1.0
    assert await reward("?", "print(5)<|im_end|>", [1], [2], task=CODE) == 0.0


async def test_a_dead_sandbox(wrapper, dead):
    """A Failure is tried again and then raised, so that the trajectory is rejected; it is never AReaL's 0."""
    reward = wrapper(RewardFunction(RewardSource(address=dead)), max_workers=1)
    with pytest.raises(UngradableError, match="sandbox_unavailable"):
        await reward("?", "print(4)", [1], [2], task=CODE)
