"""What cannot become a task says why, and no row makes a converter do anything else: `bad_rows.jsonl`."""

import base64
import json
import os
import pickle
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters import FORMATS, Options, RowError, convert, livecodebench
from converters.databases import MAX_DATABASE_BYTES

CASES = [json.loads(line) for line in Path(__file__).with_name("bad_rows.jsonl").read_text("utf-8").splitlines()]
FIELDS = {
    field
    for path in Path(__file__).with_name("rows").glob("*.jsonl")
    for line in path.read_text("utf-8").splitlines()
    for field in json.loads(line)["row"]
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
KEYS = st.sampled_from(["inputs", "outputs", "input", "output", "fn_name", "ground_truth", "language", "solution"])
VALUES = st.recursive(
    SCALARS | st.sampled_from(["{}", "[]", "[[1]]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{case['format']}" for i, case in enumerate(CASES, start=1)])
def test_bad_rows(case):
    """A row without what its format needs is refused with a reason that names it."""
    with pytest.raises(RowError) as refused:
        convert(case["format"], case["row"], Options())
    assert case["says"] in str(refused.value)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # the first draw of a text makes tables
@given(name=st.sampled_from(sorted(FORMATS)), row=st.dictionaries(st.sampled_from(sorted(FIELDS)), VALUES, max_size=9))
def test_no_row_breaks_a_converter(name, row):
    """Whatever stands in the fields, a row is converted or refused, and nothing else is raised."""
    with suppress(RowError):
        assert json.dumps(convert(name, row, Options(databases=Path("/nonexistent"))).task)


class Exploit:
    def __reduce__(self):
        return (os.putenv, ("REWARD_EXPLOIT", "1"))


@pytest.mark.parametrize("value", [Exploit(), ["a", "b"], {"a": "b"}, 7, b"text", ("a",)], ids=repr)
def test_only_pickles_of_one_text_are_read(value):
    """A pickle in LiveCodeBench's rows is never run: one that is more than a text is refused by its instructions."""
    with pytest.raises(RowError, match="is a pickle that"):
        livecodebench.pickled_text(pickle.dumps(value))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_a_text_is_read(protocol):
    """A text comes out as it went in, whatever protocol it was pickled with."""
    assert livecodebench.pickled_text(pickle.dumps('[{"input": "ü\\n"}]', protocol)) == '[{"input": "ü\\n"}]'


def test_a_bomb_is_not_unpacked(monkeypatch):
    """Private tests that unpack to more than the limit are refused before they are."""
    monkeypatch.setattr(livecodebench, "MAX_TESTS_BYTES", 1000)
    packed = base64.b64encode(zlib.compress(pickle.dumps("0" * 10_000))).decode()
    with pytest.raises(RowError, match="unpacks to more than 1000 bytes"):
        livecodebench.private_tests(packed)


@pytest.mark.parametrize("db_id", ["..", "../secret", "/etc", "a/b", "nothing"])
def test_databases_are_looked_for_in_their_folder_alone(tmp_path, db_id):
    """A row names a database of the folder, not a path."""
    (tmp_path / "databases").mkdir()
    (tmp_path / "secret.sqlite").write_bytes(b"")
    row = {"db_id": db_id, "query": "SELECT 1", "question": "?"}
    with pytest.raises(RowError, match=r"'db_id' is no name|there is no"):
        convert("spider", row, Options(databases=tmp_path / "databases"))


@pytest.mark.parametrize(
    ("content", "beside", "says"),
    [
        (b"no database" * 100, b"", "is no SQLite database"),
        (b"\0" * (MAX_DATABASE_BYTES + 1), b"", "at most"),
        (b"", b"x", "merged"),
    ],
    ids=["text", "large", "log"],
)
def test_databases_that_cannot_be_embedded(tmp_path, content, beside, says):
    """A file that is none, too large, or has changes beside it is refused with what to do."""
    (tmp_path / "d.sqlite").write_bytes(content)
    (tmp_path / "d.sqlite-wal").write_bytes(beside)
    with pytest.raises(RowError, match=says):
        convert("bird", {"db_id": "d", "SQL": "SELECT 1", "question": "?"}, Options(databases=tmp_path))
