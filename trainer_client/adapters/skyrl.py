"""SkyRL: a one-turn environment of skyrl-gym.

    skyrl_gym.register(id="reward_server", entry_point="trainer_client.adapters.skyrl:RewardServerEnv")

`reward_spec.ground_truth` is a task as JSON text, or a ground truth by `data_source`. SkyRL has no mask: a Failure
raises `UngradableError`, which stops the step, unless ``env_config`` has ``on_failure: number``; then the reward is 0
and metadata and metrics have `gradable` 0.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from trainer_client.adapters.source import RewardSource, scored
from trainer_client.adapters.stacks import needed
from trainer_client.results import Failure

_SETTINGS = tuple(RewardSource.__dataclass_fields__)


class OneTurn:
    """One question, one answer; `RewardServerEnv` is this as a `BaseTextEnv` of skyrl-gym."""

    def __init__(self, env_config: Any = None, extras: Mapping[str, Any] | None = None) -> None:
        """``env_config``: the settings of `RewardSource`, `on_failure`, `failure_score`; ``extras``: SkyRL's row."""
        super().__init__()
        config = dict(env_config or {})
        row = extras or {}
        self._source = RewardSource(**{name: config[name] for name in _SETTINGS if name in config})
        self._failures = {name: config[name] for name in ("on_failure", "failure_score") if name in config}
        self._row = {
            "task": (row.get("extra_info") or {}).get("task"),
            "data_source": row.get("data_source"),
            "ground_truth": (row.get("reward_spec") or {}).get("ground_truth"),
        }
        self._numbers: dict[str, float] = {}
        self.turns, self.max_turns = 0, 1

    def init(self, prompt: list[dict[str, str]]) -> tuple[list[dict[str, str]], dict[str, Any]]:
        """Return the prompt as it is."""
        return prompt, {}

    def step(self, action: str) -> dict[str, Any]:
        """Grade the answer and end."""
        self.turns += 1
        (result,) = self._source.grade([self._row], [action])
        self._numbers = scored(result, **self._failures)
        reward = self._numbers.pop("score")
        why = result.reason if isinstance(result, Failure) else result.ruling
        return {
            "observations": [],
            "reward": reward,
            "done": True,
            "metadata": {**self._numbers, "reason": str(why)},
            "postprocessed_action": None,
        }

    def get_metrics(self) -> dict[str, float]:
        """Return the numbers of the answer."""
        return self._numbers

    @staticmethod
    def aggregate_metrics(metrics: list[dict[str, float]]) -> dict[str, float]:
        """Return the means over episodes."""
        names = {name for each in metrics for name in each}
        return {name: sum(each.get(name, 0.0) for each in metrics) / len(metrics) for name in sorted(names)}

    def close(self) -> None:
        """Nothing is held open: the client is the process's."""


@cache
def _environment() -> Any:
    base = needed("skyrl_gym.envs.base_text_env", "pip install skyrl-gym").BaseTextEnv
    return type("RewardServerEnv", (OneTurn, base), {"__module__": __name__, "__doc__": OneTurn.__doc__})


def __getattr__(name: str) -> Any:
    """Make the environment when it is asked for, since its base is skyrl-gym's."""
    if name == "RewardServerEnv":
        return _environment()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
