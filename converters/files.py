"""Rows of files: JSON Lines (also gzipped), a JSON array, Parquet. One at a time, each with its number from 1."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from converters.records import RowError


class UnreadableFileError(Exception):
    """The file as a whole cannot be read; the message says why."""


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    """Yield every row, or why it is none. Raises `UnreadableFileError`, OSError."""
    name = path.name.lower()
    read = _parquet if name.endswith(".parquet") else _array if name.endswith((".json", ".json.gz")) else _lines
    try:
        yield from read(path)
    except (EOFError, zlib.error) as error:
        raise UnreadableFileError(f"{path} is cut off or damaged: {error}") from None


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value] # both are read as binary files


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    with _open(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _row(line)


def _row(line: bytes) -> dict[str, Any] | RowError:
    try:
        return _object(json.loads(line))
    except (ValueError, RecursionError) as error:
        return RowError(f"is no JSON: {error}")


def _object(value: Any) -> dict[str, Any] | RowError:
    return value if isinstance(value, dict) else RowError("is no object")


def _array(path: Path) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    """Such files (Spider's, BIRD's) are one array, or JSON Lines under a wrong name."""
    with _open(path) as file:
        content = file.read()
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        yield from _lines(path)
        return
    for number, row in enumerate(found if isinstance(found, list) else [found], start=1):
        yield number, _object(row)


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - an extra that only Parquet needs
    except ImportError:
        raise UnreadableFileError("Parquet files need pyarrow: pip install 'reward-server[parquet]'") from None
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=64):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except ArrowException as error:
        raise UnreadableFileError(f"{path} cannot be read as Parquet after row {number}: {error}") from None
