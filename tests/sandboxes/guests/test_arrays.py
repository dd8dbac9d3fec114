"""NumPy's arrays and numbers as they travel."""

import numpy as np
import pytest

from sandboxes.guests.values import CodecError, Encoder, decode


def encoded(value):
    return Encoder(lambda _: [0, "object", ""]).encode(value)


def inside(data):
    return decode(data, lambda _: object())


@pytest.mark.parametrize(
    "value",
    [
        np.array([1, 2]),
        np.array([[0.5, np.nan], [np.inf, -0.0]]),
        np.zeros((0, 3)),
        np.array([True, False]),
        np.array(["a", "bc"]),
        np.array([1 + 2j]),
        np.array(5, dtype=np.int8),
        np.arange(24).reshape(2, 3, 4)[:, ::2],
    ],
)
def test_an_array_arrives_as_it_was(value):
    """Kind, shape and items survive."""
    arrived = inside(encoded(value))
    assert (arrived.dtype.kind, arrived.shape) == (value.dtype.kind, value.shape)
    assert np.array_equal(arrived, value, equal_nan=value.dtype.kind == "f")


@pytest.mark.parametrize("value", [np.int64(5), np.uint8(200), np.bool_(True), np.float32(0.5)])
def test_a_number_arrives_as_it_was_and_is_plain_on_the_host(value):
    """Inside a box it keeps its class; the host, which has no need of NumPy, compares Python's own."""
    arrived = inside(encoded(value))
    assert (type(arrived), arrived) == (type(value), value)
    assert (type(decode(encoded(value))), decode(encoded(value))) == (type(value.item()), value.item())


def test_an_array_is_no_plain_value_on_the_host():
    """A list is expected there, and an array is none."""
    with pytest.raises(CodecError):
        decode(encoded(np.array([1])))


@pytest.mark.parametrize("value", [np.array([object()]), np.array(["2020-01-01"], dtype="datetime64[D]")])
def test_other_kinds_stay_where_they_are(value):
    """What holds objects or dates is only pointed at."""
    assert encoded(value) == {"o": [0, "object", ""]}


@pytest.mark.parametrize(
    "body",
    [
        ["object", [1], [1]],
        ["int64", [2], [1]],
        ["int64", [-1], [1]],
        ["int64", ["1"], [1]],
        ["int8", None, 1000],
        ["int64", None, {"o": [1, "object", ""]}],
        ["float64", [1], [[1]]],
        ["float64", None],
        "int64",
        ["int64", [1] * 40, [1]],
    ],
)
def test_nonsense_is_refused(body):
    """Whatever a response claims to be an array raises nothing but a CodecError."""
    with pytest.raises(CodecError):
        inside({"n": body})
