"""Files that a task brings along, or that a response may bring; see proto/reward/v1/code_tests.proto."""

from collections.abc import Sequence
from dataclasses import dataclass

from reward_server.errors import InvalidTaskError

MAX_FILES = 100
MAX_RESPONSE_FILES = 20
MAX_FILE_BYTES = 4 << 20
MAX_ALL_BYTES = 16 << 20
MAX_PATH_CHARACTERS = 255
_RESERVED = ("harness", "Harness", "solution.py", "test_solution.py")
"""Beginnings of names that our own files have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """A file that a task brings along."""

    path: str = ""
    text: str = ""
    data: bytes = b""
    secret: bool = False

    @property
    def content(self) -> bytes:
        """What is in it."""
        return self.data or self.text.encode("utf-8", "surrogatepass")


def check_path(path: str, field: str) -> None:
    """Raise `InvalidTaskError` unless ``path`` stays below the directory it is relative to."""
    parts = path.split("/")
    if not 1 <= len(path) <= MAX_PATH_CHARACTERS:
        raise InvalidTaskError(field, f"{len(path)} characters, 1 to {MAX_PATH_CHARACTERS} are expected")
    if any(part in ("", ".", "..") for part in parts):
        raise InvalidTaskError(field, f"{path!r} is no relative path of plain names")
    if not path.isprintable() or "\\" in path or path != path.strip():
        raise InvalidTaskError(field, f"{path!r} holds characters that paths here must not")
    if parts[0].startswith(_RESERVED):
        raise InvalidTaskError(field, f"{path!r} is a name of the server's own")


def check_files(files: Sequence[TaskFile], response_files: Sequence[str]) -> None:
    """Raise `InvalidTaskError` where files cannot be laid out."""
    if len(files) > MAX_FILES:
        raise InvalidTaskError("files", f"{len(files)} files, at most {MAX_FILES}")
    if len(response_files) > MAX_RESPONSE_FILES:
        raise InvalidTaskError("response_files", f"{len(response_files)} paths, at most {MAX_RESPONSE_FILES}")
    for i, file in enumerate(files):
        check_path(file.path, f"files[{i}].path")
        if file.text and file.data:
            raise InvalidTaskError(f"files[{i}]", "at most one of `text` and `data` is to be set")
        if len(file.content) > MAX_FILE_BYTES:
            raise InvalidTaskError(f"files[{i}]", f"{len(file.content)} bytes, at most {MAX_FILE_BYTES}")
    if (size := sum(len(file.content) for file in files)) > MAX_ALL_BYTES:
        raise InvalidTaskError("files", f"{size} bytes together, at most {MAX_ALL_BYTES}")
    for i, path in enumerate(response_files):
        check_path(path, f"response_files[{i}]")
    _check_distinct([file.path for file in files], "files[{}].path")
    _check_distinct(list(response_files), "response_files[{}]")
    secret = {file.path for file in files if file.secret}
    for i, path in enumerate(response_files):
        if path in secret:
            raise InvalidTaskError(f"response_files[{i}]", f"{path!r} is a secret file of the task")


def _check_distinct(paths: Sequence[str], field: str) -> None:
    """Raise `InvalidTaskError` when a path is there twice, or is a directory of another."""
    seen = {path: i for i, path in enumerate(paths)}
    for i, path in enumerate(paths):
        if seen[path] != i:
            raise InvalidTaskError(field.format(seen[path]), f"{path!r} is there twice")
        parts = path.split("/")
        for end in range(1, len(parts)):
            if (directory := "/".join(parts[:end])) in seen:
                raise InvalidTaskError(field.format(i), f"{path!r} lies in {directory!r}, which is a file")
