"""What a row of a data set asks, as a task: plain dictionaries in, plain dictionaries out.

One module a format, each with `convert(row, options)`; `FORMATS` lists them. The command line, the server's side and
the adapters of the trainer's side all use these, so this package imports nothing of either, and the standard library
alone (`files` needs pyarrow for Parquet). Tasks are the contract's canonical JSON. Nothing in a row is ever executed
or unpickled.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from converters import (
    apps,
    bird,
    code_contests,
    competition_math,
    dapo_math,
    gsm8k,
    humaneval,
    json_records,
    livecodebench,
    mbpp,
    spider,
    taco,
    verl,
)
from converters.records import Converted, Options, RowError

__all__ = ["FORMATS", "Converted", "Options", "RowError", "convert"]

Converter: TypeAlias = Callable[[Mapping[str, Any], Options], Converted]

FORMATS: dict[str, Converter] = {
    "gsm8k": gsm8k.convert,
    "math": competition_math.convert,
    "dapo-math": dapo_math.convert,
    "humaneval": humaneval.convert,
    "mbpp": mbpp.convert,
    "apps": apps.convert,
    "taco": taco.convert,
    "livecodebench": livecodebench.convert,
    "code-contests": code_contests.convert,
    "spider": spider.convert,
    "bird": bird.convert,
    "json": json_records.convert,
    "verl": verl.convert,
}


def convert(name: str, row: Mapping[str, Any], options: Options | None = None) -> Converted:
    """Return ``row`` of the format ``name`` as a task. Raises `RowError`, and nothing else, whatever the row holds."""
    if name not in FORMATS:
        raise RowError(f"no format is called {name!r}, but {', '.join(FORMATS)}")
    try:
        return FORMATS[name](row, options or Options())
    except RecursionError:
        raise RowError("is nested too deeply") from None
