from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VoteAggregation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VOTE_AGGREGATION_UNSPECIFIED: _ClassVar[VoteAggregation]
    VOTE_AGGREGATION_MEAN: _ClassVar[VoteAggregation]
    VOTE_AGGREGATION_MEDIAN: _ClassVar[VoteAggregation]
    VOTE_AGGREGATION_MAJORITY: _ClassVar[VoteAggregation]
    VOTE_AGGREGATION_MINIMUM: _ClassVar[VoteAggregation]
VOTE_AGGREGATION_UNSPECIFIED: VoteAggregation
VOTE_AGGREGATION_MEAN: VoteAggregation
VOTE_AGGREGATION_MEDIAN: VoteAggregation
VOTE_AGGREGATION_MAJORITY: VoteAggregation
VOTE_AGGREGATION_MINIMUM: VoteAggregation

class ModelJudgeTask(_message.Message):
    __slots__ = ("endpoint", "rubric", "question", "reference", "labels", "lowest", "highest", "votes", "aggregation", "compare", "temperature", "max_tokens")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    RUBRIC_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    LOWEST_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    AGGREGATION_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    rubric: str
    question: str
    reference: str
    labels: _containers.RepeatedCompositeFieldContainer[JudgeLabel]
    lowest: float
    highest: float
    votes: int
    aggregation: VoteAggregation
    compare: bool
    temperature: float
    max_tokens: int
    def __init__(self, endpoint: _Optional[str] = ..., rubric: _Optional[str] = ..., question: _Optional[str] = ..., reference: _Optional[str] = ..., labels: _Optional[_Iterable[_Union[JudgeLabel, _Mapping]]] = ..., lowest: _Optional[float] = ..., highest: _Optional[float] = ..., votes: _Optional[int] = ..., aggregation: _Optional[_Union[VoteAggregation, str]] = ..., compare: bool = ..., temperature: _Optional[float] = ..., max_tokens: _Optional[int] = ...) -> None: ...

class JudgeLabel(_message.Message):
    __slots__ = ("name", "score", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    score: float
    description: str
    def __init__(self, name: _Optional[str] = ..., score: _Optional[float] = ..., description: _Optional[str] = ...) -> None: ...
