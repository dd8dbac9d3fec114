"""Other projects' own clients against the HTTP gateway: only the URL is changed."""

import importlib.util
import json
import sys
import types
from pathlib import Path
from typing import Any

import openai
import pytest
from http_child import http_child

HALF = {"pythonGrader": {"source": "def grade(sample, item):\n    return 0.5"}}
MATH = {"mathAnswer": {"expected": "4"}}
STDIO = {"inputs": ["1 2\n", "3 4\n"], "outputs": ["3", "7"]}
SUM = "Thinking.\n```python\nprint(sum(map(int, input().split())))\n```"


@pytest.fixture(scope="module")
def url():
    with http_child("local") as one:
        yield one


@pytest.fixture(scope="module")
def dead():
    with http_child("dead") as one:
        yield one


def home_of(package: str) -> Path:
    """Return where an installed package lies, without importing it."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


@pytest.fixture(scope="module")
def verl_client() -> Any:
    """Verl's client of SandboxFusion, unchanged, without the rest of verl."""
    home = home_of("verl") / "utils" / "reward_score" / "sandbox_fusion"
    name = "verl_sandbox_fusion"
    spec = importlib.util.spec_from_file_location(name, home / "__init__.py", submodule_search_locations=[str(home)])
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verl_score(client, url, completion, tests, timeout=5):
    return client.compute_score(f"{url}/run_code", None, 512, completion, tests, continuous=False, timeout=timeout)


@pytest.mark.parametrize(
    ("completion", "tests", "score", "statuses"),
    [
        (SUM, STDIO, 1.0, ["success", "success"]),
        ("```python\nprint(3)\n```", STDIO, 0.5, ["success", "wrong_answer"]),
        ("```python\n1 / 0\n```", STDIO, 0.0, ["runtime_error", "runtime_error"]),
        ("```python\nwhile True: pass\n```", {"inputs": [""], "outputs": [""]}, 0.0, ["timeout"]),
        (
            "```python\ndef add(a, b):\n    return a + b\n```",
            {"fn_name": "add", "inputs": ["1\n2"], "outputs": ["3"]},
            1.0,
            ["success"],
        ),
    ],
)
def test_verl_scores_code_by_our_run_code(verl_client, url, completion, tests, score, statuses):
    """Verl's own client reads our answers as it reads SandboxFusion's, calls of functions and limits included."""
    got, metadata = verl_score(verl_client, url, completion, tests, timeout=2)
    assert [one["status"] for one in metadata] == statuses
    assert got == score


def test_verl_tries_again_when_the_sandbox_is_gone(verl_client, dead):
    """A dead sandbox is 504, which verl retries; then it is an error of the API, not a wrong answer."""
    _, metadata = verl_score(verl_client, dead, SUM, {"inputs": [""], "outputs": [""]})
    assert metadata[0]["status"] == "api_error"
    assert "attempt 3/3" in metadata[0]["api_request_error"]


@pytest.fixture(scope="module")
def openrlhf_agent() -> Any:
    """OpenRLHF's agent module, unchanged, without what `openrlhf.utils` imports beside it."""
    home = home_of("openrlhf")
    for name, path in (("openrlhf", home), ("openrlhf.utils", home / "utils")):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package
    return importlib.import_module("openrlhf.utils.agent")


async def openrlhf_rewards(agent, urls, query, prompt, label):
    executor = agent.SingleTurnAgentExecutor(urls)
    return await executor._fetch_rewards_via_http([query], [prompt], [label])


async def test_openrlhf_gets_rewards_from_one_of_several_urls(openrlhf_agent, url):
    """With two URLs the first gets the query; where the second is asked too, its lists are empty."""
    urls = [f"{url}/openrlhf"] * 2
    first, *others = await openrlhf_rewards(openrlhf_agent, urls, "2+2? 4</s>", "2+2? ", json.dumps(MATH))
    assert first == {"rewards": [1.0], "scores": [1.0], "extra_logs": {"accepted": [1.0]}}
    assert all(other["rewards"] == [] for other in others)


async def test_openrlhf_gives_up_on_a_dead_sandbox_without_a_reward(openrlhf_agent, dead):
    """After its tries it raises, and its caller leaves the reward out."""
    with pytest.raises(RuntimeError, match="Request error for 5 times"):
        await openrlhf_rewards(openrlhf_agent, f"{dead}/openrlhf", "ab", "a", json.dumps(HALF))


CHECK = {
    "type": "string_check",
    "name": "same",
    "operation": "eq",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
}
PYTHON = {"type": "python", "name": "py", "source": "def grade(sample, item):\n    return 0.25"}


def openai_client(url, key="none"):
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def test_openai_runs_and_validates_graders(url):
    """The openai package runs graders here as it runs them there, and reads the answers into its own types."""
    graders = openai_client(url).fine_tuning.alpha.graders
    multi = {"type": "multi", "name": "m", "graders": {"a": CHECK, "b": PYTHON}, "calculate_output": "a/2 + b"}
    run = graders.run(grader=multi, model_sample="Bern", item={"answer": "Bern"})
    assert run.reward == 0.75
    assert run.sub_rewards == {"a": 1.0, "b": 0.25}
    assert run.metadata.errors.other_error is False
    assert graders.validate(grader=CHECK).grader.operation == "eq"
    with pytest.raises(openai.BadRequestError, match=r"grader\.operation"):
        graders.validate(grader={**CHECK, "operation": "nope"})


def test_openai_sees_the_flag_of_a_dead_sandbox(dead):
    """What could not be graded is flagged in the package's own type."""
    run = openai_client(dead).fine_tuning.alpha.graders.run(grader=PYTHON, model_sample="x", item={})
    assert run.metadata.errors.python_grader_server_error is True
    assert run.metadata.errors.python_grader_server_error_type == "sandbox_unavailable"


def test_openai_sends_the_token_as_its_key():
    """With a token set, it is the client's api_key."""
    with http_child("dead", "token") as url:
        with pytest.raises(openai.AuthenticationError):
            openai_client(url).fine_tuning.alpha.graders.validate(grader=CHECK)
        assert openai_client(url, "secret").fine_tuning.alpha.graders.validate(grader=CHECK)


async def test_openenv_plays_an_episode(url):
    """OpenEnv's generic client resets with a task, steps with a response and reads the reward."""
    from openenv.core.generic_client import GenericEnvClient  # noqa: PLC0415 - slow to import

    async with GenericEnvClient(base_url=url) as env:
        begun = await env.reset(task=MATH, prompt="2+2?")
        done = await env.step({"response": r"\boxed{4}"})
        state = await env.state()
    assert (begun.observation["prompt"], begun.reward, begun.done) == ("2+2?", None, False)
    assert (done.reward, done.done, done.observation["ruling"]) == (1.0, True, "accepted")
    assert state["step_count"] == 1


async def test_openenv_raises_on_a_dead_sandbox(dead):
    """A step that cannot be graded raises in OpenEnv's client."""
    from openenv.core.generic_client import GenericEnvClient  # noqa: PLC0415 - slow to import

    async with GenericEnvClient(base_url=dead) as env:
        await env.reset(task=HALF)
        with pytest.raises(RuntimeError, match="does not answer"):
            await env.step({"response": "x"})


def test_openenv_knows_our_answers(url):
    """Health, metadata and schemas are what OpenEnv's own types expect."""
    import requests  # noqa: PLC0415 - as above
    from openenv.core.env_server.types import (  # noqa: PLC0415 - as above
        EnvironmentMetadata,
        HealthResponse,
        ResetResponse,
        SchemaResponse,
        StepResponse,
    )

    for path, kind in (("health", HealthResponse), ("metadata", EnvironmentMetadata), ("schema", SchemaResponse)):
        kind.model_validate(requests.get(f"{url}/openenv/{path}", timeout=10).json())
    ResetResponse.model_validate(requests.post(f"{url}/reset", json={"task": MATH}, timeout=10).json())
    StepResponse.model_validate(requests.post(f"{url}/step", json={"action": {"response": "4"}}, timeout=10).json())
