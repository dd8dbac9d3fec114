"""Frames: whatever bytes arrive, they are messages or a refusal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.guests.channel import MAX_FRAME_BYTES, FrameError, FrameReader, encode
from sandboxes.guests.values import CodecError, decode

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(PLAIN, max_size=4), st.integers(1, 7))
def test_frames_arrive_whole_however_they_are_cut(messages, size):
    """Bytes may come in any pieces; the messages come out as they went in."""
    data = b"".join(encode(message) for message in messages)
    reader = FrameReader()
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    assert [reader.take() for _ in messages] == messages
    assert len(reader) == 0


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data):
    """Arbitrary bytes give messages that JSON can say, or a FrameError; nothing else is raised."""
    reader = FrameReader()
    try:
        reader.feed(data)
    except FrameError:
        return
    while reader:
        json.dumps(reader.take())


@given(PLAIN)
def test_no_json_does_more_than_be_refused_by_the_codec(data):
    """Arbitrary JSON decodes to a value or is refused."""
    try:
        decode(data)
    except CodecError:
        return


def test_a_frame_past_the_limit_is_refused_before_it_is_read():
    """A length alone is enough to refuse; nothing is buffered for it."""
    with pytest.raises(FrameError, match="limit"):
        FrameReader().feed((MAX_FRAME_BYTES + 1).to_bytes(4, "big"))


def test_deep_nesting_is_refused():
    """A frame nested past the interpreter's depth is no message."""
    body = b"[" * 200_000
    with pytest.raises(FrameError):
        FrameReader().feed(len(body).to_bytes(4, "big") + body)
