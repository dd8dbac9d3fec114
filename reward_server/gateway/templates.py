"""Templates with paths in double braces: ``{{ item.answer }}``, ``{{ sample.output_json.total }}``, ``{{ label }}``.

A path is a name and then keys and indices; it is looked up in plain JSON values. There is nothing else: no attributes,
no calls, no filters, no loops. Values are put in once and never read as templates themselves, so what a model wrote
cannot reach another value.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

MAX_RENDERED_CHARACTERS = 8 << 20
_PLACE = re.compile(r"\{\{([^{}]{0,512})\}\}")
_STEP = re.compile(r"\.?([A-Za-z0-9_-]+)|\[(\d{1,6})\]", re.ASCII)


class TemplateError(Exception):
    """A template names what is not there, or is not a template."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path[:80]!r}: {message}")
        self.path = path


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return ``template`` with every place filled: strings as they are, other values as JSON.

    Raises `TemplateError`.
    """
    return replace(template, lambda path: text_of(look_up(path, values)))


def replace(template: str, text_at: Callable[[str], str]) -> str:
    """Return ``template`` with what ``text_at`` says for the path of every place. Raises `TemplateError`."""
    pieces, position, room = [], 0, MAX_RENDERED_CHARACTERS - len(template)
    for found in _PLACE.finditer(template):
        text = text_at(found[1].strip())
        room -= len(text)
        if room < 0:
            raise TemplateError(found[1], f"the whole would have more than {MAX_RENDERED_CHARACTERS} characters")
        pieces += [template[position : found.start()], text]
        position = found.end()
    return "".join([*pieces, template[position:]])


def whole(template: str, values: Mapping[str, Any]) -> Any:
    """As `render`, but a template that is one place and nothing else gives its value as it is."""
    found = _PLACE.fullmatch(template.strip())
    return look_up(found[1], values) if found else render(template, values)


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """Return plain JSON with every string in it filled as by `whole`; numbers become text, which protobuf takes too."""
    match value:
        case str():
            filled = whole(value, values)
            return text_of(filled) if type(filled) in {int, float} else filled
        case dict():
            return {key: fill(item, values) for key, item in value.items()}
        case list():
            return [fill(item, values) for item in value]
    return value


def paths_in(template: str) -> list[str]:
    """Return the paths that ``template`` names."""
    return [found[1].strip() for found in _PLACE.finditer(template)]


def look_up(path: str, values: Mapping[str, Any]) -> Any:
    """Return what stands at ``path``. Raises `TemplateError`."""
    value: Any = values
    for step in _steps(path.strip()):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise TemplateError(path.strip(), f"there is no {step!r}")
    return value


def _steps(path: str) -> list[str]:
    steps, position = [], 0
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None:
            break
        steps.append(found[1] if found[1] is not None else found[2])
        position = found.end()
    if not steps or position < len(path):
        raise TemplateError(path, "it is no path of names and indices")
    return steps


def text_of(value: Any) -> str:
    """Return a value as it stands in a text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
