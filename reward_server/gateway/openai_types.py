"""The graders of OpenAI's API as records, and what can be said against one before it runs."""

from typing import Any, Literal, TypeAlias

import msgspec

from reward_server.config import Config, JudgeEndpoint
from reward_server.errors import InvalidTaskError
from reward_server.formula import FormulaError, names_in, parse
from reward_server.gateway.messages import text_of
from reward_server.gateway.openai_texts import METRICS
from reward_server.gateway.templates import paths_in
from reward_server.statuses import RequestError
from reward_server.tasks.python_grader import PythonGraderTask

MAX_GRADERS = 32
_SPACES = ("item", "sample")


class StringCheck(msgspec.Struct, frozen=True, kw_only=True, tag="string_check", tag_field="type"):
    """A comparison of two strings."""

    operation: Literal["eq", "ne", "like", "ilike"]
    input: str
    reference: str
    name: str = ""


class TextSimilarity(msgspec.Struct, frozen=True, kw_only=True, tag="text_similarity", tag_field="type"):
    """A similarity of two texts; 1 or 0 where there is a threshold."""

    evaluation_metric: str
    input: str
    reference: str
    name: str = ""
    pass_threshold: float | None = None


class Python(msgspec.Struct, frozen=True, kw_only=True, tag="python", tag_field="type"):
    """A program that defines ``grade(sample, item)``."""

    source: str
    name: str = ""
    image_tag: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a judging model."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Any
    type: str | None = None


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How a judging model samples; what the endpoint does not take is left out."""

    temperature: float | None = None
    max_completions_tokens: int | None = None


class ScoreModel(msgspec.Struct, frozen=True, kw_only=True, tag="score_model", tag_field="type"):
    """A model that gives a number."""

    model: str
    input: list[Message]
    name: str = ""
    range: list[float] | None = None
    sampling_params: Sampling | None = None


class LabelModel(msgspec.Struct, frozen=True, kw_only=True, tag="label_model", tag_field="type"):
    """A model that gives a label."""

    model: str
    input: list[Message]
    labels: list[str]
    passing_labels: list[str]
    name: str = ""
    sampling_params: Sampling | None = None


class RewardTask(msgspec.Struct, frozen=True, kw_only=True, tag="reward_server", tag_field="type"):
    """A task of this server, in canonical JSON with templates; an addition to OpenAI's types."""

    task: dict[str, Any]
    name: str = ""


Single: TypeAlias = StringCheck | TextSimilarity | Python | ScoreModel | LabelModel | RewardTask


class Multi(msgspec.Struct, frozen=True, kw_only=True, tag="multi", tag_field="type"):
    """Several graders and a formula over their names."""

    graders: dict[str, Single]
    calculate_output: str
    name: str = ""


Grader: TypeAlias = Single | Multi


def type_of(grader: Grader) -> str:
    """Return the type's name."""
    return str(grader.__struct_config__.tag)


def check(grader: Grader, config: Config, path: str = "grader") -> None:
    """Raise `RequestError` with the path of what is wrong with ``grader``, as far as that can be seen beforehand."""
    match grader:
        case Multi():
            check_parts(grader, config, path)
            _check_formula(grader, path)
        case StringCheck():
            _check_templates([grader.input, grader.reference], path)
        case TextSimilarity():
            if grader.evaluation_metric not in METRICS:
                raise RequestError(f"{path}.evaluation_metric: one of {', '.join(METRICS)} is expected")
            _check_templates([grader.input, grader.reference], path)
        case Python():
            try:
                PythonGraderTask(source=grader.source)
            except InvalidTaskError as error:
                raise RequestError(f"{path}.{error}") from error
        case ScoreModel() | LabelModel():
            _check_model(grader, config, path)


def check_parts(grader: Multi, config: Config, path: str) -> None:
    """Raise `RequestError` for what is wrong with one of several graders, or with their number."""
    if not 1 <= len(grader.graders) <= MAX_GRADERS:
        raise RequestError(f"{path}.graders: {len(grader.graders)} graders, at least 1 and at most {MAX_GRADERS}")
    for name, part in grader.graders.items():
        check(part, config, f"{path}.graders.{name}")


def _check_formula(grader: Multi, path: str) -> None:
    try:
        unknown = names_in(parse(grader.calculate_output)) - set(grader.graders)
    except FormulaError as error:
        raise RequestError(f"{path}.calculate_output: {error}") from error
    if unknown:
        raise RequestError(f"{path}.calculate_output: no grader is called {', '.join(sorted(unknown))}")


def endpoint_of(model: str, config: Config, path: str) -> tuple[str, JudgeEndpoint]:
    """Return the configured endpoint that is called ``model`` or serves it. Raises `RequestError`."""
    if model in config.judges:
        return model, config.judges[model]
    for name, endpoint in config.judges.items():
        if endpoint.model == model:
            return name, endpoint
    known = ", ".join(sorted(config.judges)) or "none"
    raise RequestError(f"{path}.model: {model[:80]!r} is no judge of this server's configuration; it knows {known}")


def _check_model(grader: ScoreModel | LabelModel, config: Config, path: str) -> None:
    endpoint_of(grader.model, config, path)
    if not grader.input:
        raise RequestError(f"{path}.input: at least one message is expected")
    _check_templates([text_of(one.content, f"{path}.input[{i}].content") for i, one in enumerate(grader.input)], path)
    if isinstance(grader, ScoreModel):
        span = grader.range or [0.0, 1.0]
        if len(span) != 2 or not span[0] < span[1]:  # noqa: PLR2004 - the ends
            raise RequestError(f"{path}.range: two numbers are expected, the lower first")
        return
    if unknown := set(grader.passing_labels) - set(grader.labels):
        raise RequestError(f"{path}.passing_labels: {', '.join(sorted(unknown))} is not among labels")
    if len(set(grader.labels)) < 2:  # noqa: PLR2004 - what a choice needs
        raise RequestError(f"{path}.labels: at least two different labels are expected")


def _check_templates(texts: list[str], path: str) -> None:
    for place in (place for text in texts for place in paths_in(text)):
        if place.split(".")[0].split("[")[0] not in _SPACES:
            raise RequestError(f"{path}: the template {place[:80]!r} begins neither with item nor with sample")
