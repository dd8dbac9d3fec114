"""A run's configuration: one record from TOML and flags. Each section's record stands where it is used.

Unknown keys are refused, with the nearest known one. Paths are relative to the file's folder.
"""

import dataclasses
import difflib
import json
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from trainer_client.training.curriculum import CurriculumConfig
from trainer_client.training.demonstrations import SftConfig
from trainer_client.training.evaluation import EvaluationConfig
from trainer_client.training.losses import LossConfig
from trainer_client.training.model_loading import ModelConfig
from trainer_client.training.optimizer import OptimizerConfig
from trainer_client.training.presets import DEFAULT, PRESETS, loss_config
from trainer_client.training.rollout import RolloutConfig
from trainer_client.training.run_log import OutputConfig
from trainer_client.training.scoring import RewardsConfig
from trainer_client.training.tasks import DataConfig, TaskSource

_PRESET = "preset"


class ConfigError(Exception):
    """The configuration cannot be used; the message names the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be set; the rest is in the sections."""

    model: ModelConfig
    name: str = "run"
    """What trackers and the report call the run."""
    seed: int = 0
    """Order of tasks and draws of tokens. The same seed gives the same run, on the same machine."""
    steps: int = 100
    """How often groups are drawn and learned from."""
    groups_per_step: int = 16
    """Prompts of a step; each gets `rollout.group_size` responses."""
    replace_without_spread: float = 0.0
    """Dynamic sampling (DAPO, section 3.2): groups without spread are replaced by other tasks', at most this many times
    `groups_per_step` in a step. 0: they stay, and give no gradient."""
    ahead: Literal[0, 1] = 0
    """1: the next step's responses are written while this one's are graded and learned from, by the weights of before:
    faster where engine and learner have devices of their own, and one step off-policy."""
    rollout: RolloutConfig = field(default_factory=RolloutConfig)
    loss: LossConfig = field(default_factory=loss_config)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    data: DataConfig = field(default_factory=DataConfig)
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    rewards: RewardsConfig = field(default_factory=RewardsConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    sft: SftConfig = field(default_factory=SftConfig)
    output: OutputConfig = field(default_factory=OutputConfig)

    def __post_init__(self) -> None:
        for name in ("steps", "groups_per_step"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is less than 1")
        if not self.replace_without_spread >= 0:
            raise ValueError(f"replace_without_spread: {self.replace_without_spread} is less than 0")

    def to_json(self) -> dict[str, Any]:
        """Return the configuration as plain values."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), default=str))
        return plain


def load(path: Path, changes: Sequence[str] = ()) -> Config:
    """Return the configuration in the TOML file ``path``, with ``changes`` like ``optimizer.learning_rate=1e-5``.

    Raises `ConfigError`.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    for change in changes:
        _change(values, change)
    config: Config = _record(Config, values, "")
    return _resolved(config, path.parent.absolute())


def _change(values: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    if not equals:
        raise ConfigError(f"{change!r}: key=value is expected, e.g. optimizer.learning_rate=1e-5")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *sections, last = key.strip().split(".")
    table = values
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{key}: {section} is no table")
    table[last] = value


def _record(kind: Any, values: Any, prefix: str) -> Any:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{prefix.rstrip('.')}: a table is expected")
    known = {each.name for each in dataclasses.fields(kind)} | ({_PRESET} if kind is LossConfig else set())
    hints = typing.get_type_hints(kind)
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else ""
            raise ConfigError(f"{prefix}{name}: there is no such key{hint}")
    arguments = {
        name: _value(hints[name], value, prefix + name)
        for name, value in values.items()
        if name != _PRESET or name in hints
    }
    for each in dataclasses.fields(kind):
        required = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        if required and each.name not in arguments:
            raise ConfigError(f"{prefix}{each.name}: it is missing")
    try:
        if kind is LossConfig:
            return loss_config(_value(Literal[*PRESETS], values.get(_PRESET, DEFAULT), prefix + _PRESET), **arguments)
        return kind(**arguments)
    except ValueError as error:
        raise ConfigError(f"{prefix}{error}") from error


def _value(hint: Any, value: Any, name: str) -> Any:
    """Return ``value`` as the annotation ``hint`` wants it."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return _record(hint, value, f"{name}.")
    if origin is Literal:
        if value not in arguments or isinstance(value, bool) != isinstance(arguments[0], bool):
            raise ConfigError(f"{name}: {value!r} is none of {', '.join(map(str, arguments))}")
        return value
    if origin in (types.UnionType, typing.Union):
        (inner,) = (each for each in arguments if each is not types.NoneType)
        return _value(inner, value, name)
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{name}: an array is expected")
        hints = [arguments[0]] * len(value) if arguments[-1] is ... else list(arguments)
        if len(hints) != len(value):
            raise ConfigError(f"{name}: an array of {len(hints)} is expected")
        return tuple(
            _value(hint, item, f"{name}[{i}]") for i, (hint, item) in enumerate(zip(hints, value, strict=True))
        )
    if origin is not None:  # a mapping
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name}: a table is expected")
        return {key: _value(arguments[1], item, f"{name}.{key}") for key, item in value.items()}
    return _plain(hint, value, name)


def _plain(kind: type, value: Any, name: str) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise ConfigError(f"{name}: {value!r} is no {kind.__name__}")
    return value


def _resolved(config: Config, folder: Path) -> Config:
    """Return ``config`` with its paths as they are from here."""

    def sources(found: tuple[TaskSource, ...]) -> tuple[TaskSource, ...]:
        return tuple(dataclasses.replace(source, path=str(folder / source.path)) for source in found)

    data = dataclasses.replace(config.data, tasks=sources(config.data.tasks))
    if data.chat_template:
        data = dataclasses.replace(data, chat_template=str(folder / data.chat_template))
    evaluation = config.evaluation
    evaluation = dataclasses.replace(
        evaluation, held_out=sources(evaluation.held_out), general=sources(evaluation.general)
    )
    model = config.model
    if model.name.startswith(("./", "../")):
        model = dataclasses.replace(model, name=str(folder / model.name))
    elif Path(model.name).is_dir():  # a folder from here, not a name on the hub
        model = dataclasses.replace(model, name=str(Path(model.name).absolute()))
    return dataclasses.replace(
        config,
        data=data,
        evaluation=evaluation,
        model=model,
        sft=dataclasses.replace(config.sft, tasks=sources(config.sft.tasks)),
        output=dataclasses.replace(config.output, directory=str(folder / config.output.directory)),
    )
