import dataclasses
import typing
from enum import StrEnum

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from reward.v1 import result_pb2, sample_pb2

from reward_server import wire
from reward_server.errors import InvalidTaskError
from reward_server.graders import GRADERS
from reward_server.verdict import Check, Failure, FailureReason, Flag, Ruling, Verdict
from sandboxes.base import AssuranceLevel, Limits


@pytest.mark.parametrize("name", GRADERS)
def test_every_task_record_says_what_its_message_says(name):
    """The record of each grader's task has the fields of its message, and so have the records inside it."""
    message = sample_pb2.Task.DESCRIPTOR.fields_by_name[name].message_type
    _compare(GRADERS[name].task, message)


def _compare(kind, message, seen=()):
    if kind in seen:
        return
    hints, fields = typing.get_type_hints(kind), {field.name: field for field in dataclasses.fields(kind)}
    assert set(fields) == {field.name for field in message.fields}
    wire._readers(kind, message.full_name)
    for field in message.fields:
        inner = _inner(hints[field.name])
        if dataclasses.is_dataclass(inner):
            _compare(inner, field.message_type, (*seen, kind))
        if isinstance(inner, type) and issubclass(inner, StrEnum):
            prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
            wanted = {value.name.removeprefix(prefix) for value in field.enum_type.values} - {"UNSPECIFIED"}
            unspecified = getattr(fields[field.name].default, "name", "")  # may be a member of its own
            assert {member.name for member in inner} - {unspecified} == wanted - {unspecified}


def _inner(hint):
    parts = [part for part in typing.get_args(hint) if part not in (type(None), Ellipsis)]
    return _inner(parts[0]) if parts and typing.get_origin(hint) is not dict else hint


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner:
    text: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer:
    texts: tuple[str, ...] = ()
    weight: float | None = None
    colour: Colour = Colour.BLUE
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    names: typing.Mapping[str, str] = dataclasses.field(default_factory=dict)
    flag: bool = False


@pytest.fixture(scope="module")
def outer():
    """A message class that has every kind of field."""
    file = descriptor_pb2.FileDescriptorProto(name="test_wire.proto", package="test_wire", syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto
    enum = file.enum_type.add(name="Colour")
    for number, name in enumerate(("COLOUR_UNSPECIFIED", "COLOUR_RED", "COLOUR_BLUE")):
        enum.value.add(name=name, number=number)
    inner = file.message_type.add(name="Inner")
    inner.field.add(name="text", number=1, type=kinds.TYPE_STRING, label=1)
    message = file.message_type.add(name="Outer")
    message.field.add(name="texts", number=1, type=kinds.TYPE_STRING, label=3)
    message.oneof_decl.add(name="_weight")
    message.field.add(name="weight", number=2, type=kinds.TYPE_DOUBLE, label=1, proto3_optional=True, oneof_index=0)
    message.field.add(name="colour", number=3, type=kinds.TYPE_ENUM, label=1, type_name=".test_wire.Colour")
    message.field.add(name="inner", number=4, type=kinds.TYPE_MESSAGE, label=1, type_name=".test_wire.Inner")
    message.field.add(name="inners", number=5, type=kinds.TYPE_MESSAGE, label=3, type_name=".test_wire.Inner")
    entry = message.nested_type.add(name="NamesEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=1)
    entry.field.add(name="value", number=2, type=kinds.TYPE_STRING, label=1)
    message.field.add(name="names", number=6, type=kinds.TYPE_MESSAGE, label=3, type_name=".test_wire.Outer.NamesEntry")
    message.field.add(name="flag", number=7, type=kinds.TYPE_BOOL, label=1)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("test_wire.Outer"))


def test_unset_fields_take_the_record_s_defaults(outer):
    """What a message leaves out is what the record says by default; an unspecified enum too."""
    assert wire.record(outer(), Outer) == Outer()


def test_every_kind_of_field_is_read(outer):
    """Scalars, optionals, enums, maps, nested and repeated messages become their plain counterparts."""
    message = outer(
        texts=["a", "b"], weight=0.0, colour=1, inner={"text": "x"}, inners=[{}, {"text": "y"}], names={"k": "v"}
    )
    message.flag = True
    assert wire.record(message, Outer) == Outer(
        texts=("a", "b"),
        weight=0.0,
        colour=Colour.RED,
        inner=Inner(text="x"),
        inners=(Inner(), Inner(text="y")),
        names={"k": "v"},
        flag=True,
    )


def test_an_enum_value_of_a_newer_contract_is_an_invalid_task(outer):
    """A number that this server does not know cannot be graded as something else."""
    with pytest.raises(InvalidTaskError, match="colour"):
        wire.record(outer(colour=9), Outer)


def test_a_record_that_disagrees_with_its_message_is_refused(outer):
    """A field that only one of the two has is an error, not silence."""
    with pytest.raises(TypeError, match=r"differ in: .*weight"):
        wire.record(outer(), Inner)


@pytest.mark.parametrize("ruling", Ruling)
def test_every_ruling_has_a_number(ruling):
    """Each ruling goes over the wire under its own name."""
    score = {Ruling.ACCEPTED: 1.0, Ruling.PARTIAL: 0.5}.get(ruling, 0.0)
    verdict = Verdict(score=score, ruling=ruling, summary="s", checks=(Check("c", 0.5, 2.0, "d"),), flags=(Flag("f"),))
    message = wire.result_message("id", verdict, {"grader": "g"}, 1.5, 0.25)
    assert result_pb2.Ruling.Name(message.verdict.ruling) == f"RULING_{ruling.name}"
    assert message.verdict.checks[0] == result_pb2.Check(name="c", score=0.5, weight=2.0, detail="d")
    assert message.provenance.queue_duration.ToMilliseconds() == 1500


@pytest.mark.parametrize("reason", FailureReason)
def test_every_reason_has_a_number(reason):
    """Each reason of a Failure goes over the wire under its own name, and no score with it."""
    message = wire.result_message("id", Failure(reason=reason, message="m", retryable=True), {}, 0.0, 0.0)
    assert result_pb2.FailureReason.Name(message.failure.reason) == f"FAILURE_REASON_{reason.name}"
    assert message.failure.retryable
    assert not message.HasField("verdict")


def test_the_words_of_the_contract_are_the_records_words():
    """Enums of the contract and of the records name the same things."""
    for theirs, ours, prefix in (
        (result_pb2.Ruling, Ruling, "RULING_"),
        (result_pb2.FailureReason, FailureReason, "FAILURE_REASON_"),
        (result_pb2.AssuranceLevel, AssuranceLevel, "ASSURANCE_LEVEL_"),
    ):
        names = {name.removeprefix(prefix) for name in theirs.keys()} - {"UNSPECIFIED"}  # noqa: SIM118 - no dict
        assert {member.name for member in ours} - {"UNSPECIFIED"} == names


def test_texts_that_utf8_cannot_carry_are_replaced():
    """Lone surrogates from a response never break an answer."""
    verdict = Verdict(
        score=0.0, ruling=Ruling.WRONG_ANSWER, summary="\ud800", checks=(Check("\ud800", 0.0),), flags=(Flag("\ud800"),)
    )
    assert wire.result_message("id", verdict, {}, 0.0, 0.0).SerializeToString()


def test_limits_survive_the_wire():
    """Limits written as a message and read again are the same."""
    value = Limits(cpu_seconds=1.25, processes=7)
    largest = Limits(**{field.name: 1 << 40 for field in dataclasses.fields(Limits)})
    assert wire.limits(wire.limits_message(value), Limits(), largest, "limits") == value


def test_a_task_s_digest_is_its_content_s():
    """Tasks that differ in their id alone share their digest; a change of content shows."""
    one = sample_pb2.Task(task_id="a", code_tests={"prefix": "x"})
    two = sample_pb2.Task(task_id="b", code_tests={"prefix": "x"})
    three = sample_pb2.Task(task_id="a", code_tests={"prefix": "y"})
    assert wire.task_digest(one) == wire.task_digest(two) != wire.task_digest(three)
