"""OpenRLHF's own single-turn executor loads a reward file and calls it.

`openrlhf.utils` starts DeepSpeed when it is imported, which a machine without a GPU does not have, so the executor's
module is loaded without its package's start-up.
"""

import importlib.util
import json
import sys
import types
from importlib.machinery import ModuleSpec
from types import SimpleNamespace

import pytest
import tiny_model

CODE = json.dumps({"codeTests": {"stdioTests": [{"stdin": "2", "expectedStdout": "4"}]}})
REWARD_FILE = """\
from trainer_client.adapters.openrlhf import RewardSource, graded

def reward_func(queries, prompts, labels):
    return graded(queries, prompts, labels, RewardSource(address={address!r}){failures})
"""


@pytest.fixture(scope="module")
def executor_class():
    package = types.ModuleType("openrlhf.utils")
    package.__path__ = [f"{importlib.util.find_spec('openrlhf').submodule_search_locations[0]}/utils"]
    package.__spec__ = ModuleSpec("openrlhf.utils", None, is_package=True)
    sys.modules["openrlhf.utils"] = package
    from openrlhf.utils.agent import SingleTurnAgentExecutor  # noqa: PLC0415 - after its package was stood in for

    return SingleTurnAgentExecutor


class Engine:
    """A vLLM engine that answers with the tokens it was given."""

    def __init__(self, tokens):
        self._tokens = tokens

    async def generate(self, prompt_token_ids, sampling_params, **others):
        output = SimpleNamespace(token_ids=self._tokens, text="", logprobs=None, finish_reason="stop")
        return SimpleNamespace(outputs=[output], prompt_token_ids=prompt_token_ids)


async def run(executor_class, tmp_path, address, answer, failures=""):
    (tmp_path / "reward.py").write_text(REWARD_FILE.format(address=address, failures=failures), "utf-8")
    tokenizer = tiny_model.tokenizer()
    tokens = tokenizer.encode(answer + "<|im_end|>", add_special_tokens=False)
    sampling = SimpleNamespace(max_tokens=64, logprobs=None)
    return await executor_class(str(tmp_path / "reward.py")).execute(
        "Print twice the number. Say print(4)? ", CODE, sampling, 256, tokenizer, Engine(tokens)
    )


async def test_rewards(executor_class, address, tmp_path):
    """The response behind the prompt is graded; reward, score and logs arrive where OpenRLHF reads them."""
    output = await run(executor_class, tmp_path, address, "print(2 * int(input()))")
    assert output["reward"].tolist() == [1.0]
    assert output["scores"].tolist() == [1.0]
    assert output["extra_logs"]["gradable"].tolist() == [1.0]
    output = await run(executor_class, tmp_path, address, "print(5)")
    assert output["reward"].tolist() == [0.0]


async def test_a_dead_sandbox(executor_class, dead, tmp_path):
    """A Failure leaves the reward empty, which stops the step, or is a number with a mark when that was asked for."""
    output = await run(executor_class, tmp_path, dead, "print(4)")
    assert output["reward"] is None
    output = await run(executor_class, tmp_path, dead, "print(4)", ', on_failure="number"')
    assert output["reward"].tolist() == [0.0]
    assert output["extra_logs"]["gradable"].tolist() == [0.0]
