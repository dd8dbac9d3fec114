"""The server's configuration: one small record from TOML and flags. Secrets come from the environment only."""

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sandboxes.base import MIB, AssuranceLevel, Limits

TOKEN_VARIABLE = "REWARD_SERVER_TOKEN"  # noqa: S105 - the name of the variable
SANDBOXES = ("auto", "docker", "local")

_AT_LEAST = {
    "verdict_runs": 1,
    "boxes": 0,
    "jobs_per_box": 1,
    "max_message_bytes": 64 << 10,
    "max_samples_per_request": 1,
    "max_response_bytes": 1,
    "verdict_memory_bytes": 0,
    "drain_seconds": 0,
}


class ConfigError(Exception):
    """The configuration cannot be used; the message names the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeEndpoint:
    """An OpenAI-compatible endpoint that tasks of `model_judge` may name."""

    url: str = ""
    """Up to and with its version, e.g. ``http://127.0.0.1:8000/v1``."""
    model: str = ""
    key_variable: str = ""
    """The environment variable that holds its key; empty for none."""
    timeout_seconds: float = 120.0
    """How long one call may take."""
    attempts: int = 3
    """How often a call is tried when its trouble may pass."""
    concurrency: int = 16
    """How many calls may be under way."""

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: {self.url!r} begins neither with http:// nor with https://")
        if not self.model:
            raise ValueError("model: it is missing")
        for name in ("timeout_seconds", "attempts", "concurrency"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: {getattr(self, name)} is not above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that can be set."""

    listen: str = "127.0.0.1:50051"
    """Host and port; port 0 takes a free one."""
    http: str = ""
    """Host and port of the HTTP gateway, beside gRPC in the same process; empty for none."""
    label_tasks: Mapping[str, str] = field(default_factory=dict)
    """Tasks as JSON with ``{{label}}`` in them, by the name that calls over HTTP give; see `gateway/labels.py`."""
    sandbox: Literal["auto", "docker", "local"] = "auto"
    """``auto`` is Docker where a daemon answers and the image exists, else the embedded sandbox."""
    image: str = "reward-sandbox:latest"
    """The image of Docker boxes."""
    runtime: str = ""
    """The OCI runtime of Docker boxes, e.g. ``runsc``; empty for the daemon's default."""
    boxes: int = 0
    """How many samples run at once; 0 for one per CPU core."""
    jobs_per_box: int = 10_000
    """After so many jobs a box is replaced; 1 gives every job a fresh one."""
    minimum_assurance: str = "namespace"
    """The server refuses to start in a sandbox below this level, and to grade tasks that settle for less: low,
    namespace, container or virtualized."""
    max_message_bytes: int = 64 * MIB
    """The largest request and answer; a larger request is RESOURCE_EXHAUSTED, over HTTP 413."""
    max_samples_per_request: int = 4_096
    """More are INVALID_ARGUMENT."""
    max_response_bytes: int = MIB
    """A longer response is graded OUTPUT_LIMIT, unread."""
    max_queued_samples: int = 20_000
    """A request that does not fit is refused whole, with a time to come back."""
    verdict_memory_bytes: int = 64 * MIB
    """How much room verdicts kept for identical samples may take; 0 to keep none."""
    verdict_runs: int = 1
    """How often each sample is run. Where the verdicts differ the task is a Failure INVALID_TASK, with the evidence;
    where its own reference is steady, the lower verdict counts, flagged. 2 finds flaky tasks, at twice the cost."""
    drain_seconds: float = 120.0
    """How long running calls may take to finish after SIGTERM."""
    tls_certificate: str = ""
    """A PEM file; with `tls_key` the server speaks TLS only."""
    tls_key: str = ""
    judges: Mapping[str, JudgeEndpoint] = field(default_factory=dict)
    """Endpoints by the name that tasks call them."""
    default_limits: Limits = Limits()
    max_limits: Limits = Limits(
        cpu_seconds=120.0,
        wall_seconds=300.0,
        total_seconds=600.0,
        memory_bytes=4096 * MIB,
        output_bytes=16 * MIB,
        processes=256,
        file_bytes=512 * MIB,
    )

    def __post_init__(self) -> None:
        if self.sandbox not in SANDBOXES:
            raise ConfigError(f"sandbox: {self.sandbox!r} is none of {', '.join(SANDBOXES)}")
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ConfigError("tls_certificate and tls_key: both or neither")
        for name, least in _AT_LEAST.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: {getattr(self, name)} is less than {least}")
        if self.max_samples_per_request > self.max_queued_samples:
            raise ConfigError(
                f"max_samples_per_request: {self.max_samples_per_request} samples never fit into the queue of "
                f"max_queued_samples = {self.max_queued_samples}"
            )
        for limit in dataclasses.fields(Limits):
            default, largest = getattr(self.default_limits, limit.name), getattr(self.max_limits, limit.name)
            if not 0 < default <= largest:
                raise ConfigError(f"default_limits.{limit.name}: {default} is not above 0 and at most {largest}")
        _ = self.minimum_level

    @property
    def minimum_level(self) -> AssuranceLevel:
        """`minimum_assurance` as a level."""
        try:
            return AssuranceLevel[self.minimum_assurance.upper()]
        except KeyError:
            levels = ", ".join(level.name.lower() for level in AssuranceLevel if level)
            raise ConfigError(f"minimum_assurance: {self.minimum_assurance!r} is none of {levels}") from None

    @property
    def concurrency(self) -> int:
        """`boxes`, or the number of cores."""
        return self.boxes or os.cpu_count() or 1


def load(path: Path | None, flags: Mapping[str, Any]) -> Config:
    """Return the configuration in the TOML file ``path``, with ``flags`` that are not None over it.

    Raises `ConfigError`.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path}: {error}") from error
    values |= {name: value for name, value in flags.items() if value is not None}
    config: Config = _record(Config, values, "")
    return config


def _record(kind: Any, values: Mapping[str, Any], prefix: str) -> Any:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else ""
            raise ConfigError(f"{prefix}{name}: there is no such key{hint}")
        default = fields[name].default
        if name == "judges":
            arguments[name] = _judges(value)
        elif name == "label_tasks":
            arguments[name] = _texts(value, name)
        elif isinstance(default, Limits):
            arguments[name] = dataclasses.replace(default, **_values(Limits, value, f"{prefix}{name}."))
        else:
            arguments[name] = _checked(value, type(default), prefix + name)
    try:
        return kind(**arguments)
    except ValueError as error:
        raise ConfigError(f"{prefix}{error}") from error


def _judges(tables: Any) -> dict[str, JudgeEndpoint]:
    if not isinstance(tables, Mapping) or not all(isinstance(table, Mapping) for table in tables.values()):
        raise ConfigError("judges: tables are expected, e.g. [judges.small]")
    return {name: _record(JudgeEndpoint, table, f"judges.{name}.") for name, table in tables.items()}


def _texts(table: Any, name: str) -> dict[str, str]:
    if not isinstance(table, Mapping) or not all(isinstance(text, str) for text in table.values()):
        raise ConfigError(f"{name}: a table of strings is expected")
    return dict(table)


def _values(kind: Any, values: Any, prefix: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{prefix.rstrip('.')}: a table is expected")
    return {name: getattr(_record(kind, {name: value}, prefix), name) for name, value in values.items()}


def _checked(value: Any, kind: type, name: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise ConfigError(f"{name}: {value!r} is no {kind.__name__}")
    return value
