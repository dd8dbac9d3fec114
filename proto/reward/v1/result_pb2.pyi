import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Ruling(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULING_UNSPECIFIED: _ClassVar[Ruling]
    RULING_ACCEPTED: _ClassVar[Ruling]
    RULING_PARTIAL: _ClassVar[Ruling]
    RULING_WRONG_ANSWER: _ClassVar[Ruling]
    RULING_NO_ANSWER: _ClassVar[Ruling]
    RULING_RUNTIME_ERROR: _ClassVar[Ruling]
    RULING_TIME_LIMIT: _ClassVar[Ruling]
    RULING_MEMORY_LIMIT: _ClassVar[Ruling]
    RULING_OUTPUT_LIMIT: _ClassVar[Ruling]
    RULING_FORBIDDEN: _ClassVar[Ruling]

class FailureReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAILURE_REASON_UNSPECIFIED: _ClassVar[FailureReason]
    FAILURE_REASON_INVALID_TASK: _ClassVar[FailureReason]
    FAILURE_REASON_SANDBOX_UNAVAILABLE: _ClassVar[FailureReason]
    FAILURE_REASON_DEADLINE: _ClassVar[FailureReason]
    FAILURE_REASON_GRADER_ERROR: _ClassVar[FailureReason]
    FAILURE_REASON_JUDGE_UNAVAILABLE: _ClassVar[FailureReason]

class AssuranceLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ASSURANCE_LEVEL_UNSPECIFIED: _ClassVar[AssuranceLevel]
    ASSURANCE_LEVEL_LOW: _ClassVar[AssuranceLevel]
    ASSURANCE_LEVEL_NAMESPACE: _ClassVar[AssuranceLevel]
    ASSURANCE_LEVEL_CONTAINER: _ClassVar[AssuranceLevel]
    ASSURANCE_LEVEL_VIRTUALIZED: _ClassVar[AssuranceLevel]
RULING_UNSPECIFIED: Ruling
RULING_ACCEPTED: Ruling
RULING_PARTIAL: Ruling
RULING_WRONG_ANSWER: Ruling
RULING_NO_ANSWER: Ruling
RULING_RUNTIME_ERROR: Ruling
RULING_TIME_LIMIT: Ruling
RULING_MEMORY_LIMIT: Ruling
RULING_OUTPUT_LIMIT: Ruling
RULING_FORBIDDEN: Ruling
FAILURE_REASON_UNSPECIFIED: FailureReason
FAILURE_REASON_INVALID_TASK: FailureReason
FAILURE_REASON_SANDBOX_UNAVAILABLE: FailureReason
FAILURE_REASON_DEADLINE: FailureReason
FAILURE_REASON_GRADER_ERROR: FailureReason
FAILURE_REASON_JUDGE_UNAVAILABLE: FailureReason
ASSURANCE_LEVEL_UNSPECIFIED: AssuranceLevel
ASSURANCE_LEVEL_LOW: AssuranceLevel
ASSURANCE_LEVEL_NAMESPACE: AssuranceLevel
ASSURANCE_LEVEL_CONTAINER: AssuranceLevel
ASSURANCE_LEVEL_VIRTUALIZED: AssuranceLevel

class Result(_message.Message):
    __slots__ = ("sample_id", "verdict", "failure", "provenance")
    SAMPLE_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    sample_id: str
    verdict: Verdict
    failure: Failure
    provenance: Provenance
    def __init__(self, sample_id: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("score", "ruling", "summary", "checks", "flags")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    RULING_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    score: float
    ruling: Ruling
    summary: str
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    flags: _containers.RepeatedCompositeFieldContainer[Flag]
    def __init__(self, score: _Optional[float] = ..., ruling: _Optional[_Union[Ruling, str]] = ..., summary: _Optional[str] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ..., flags: _Optional[_Iterable[_Union[Flag, _Mapping]]] = ...) -> None: ...

class Check(_message.Message):
    __slots__ = ("name", "score", "weight", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    score: float
    weight: float
    detail: str
    def __init__(self, name: _Optional[str] = ..., score: _Optional[float] = ..., weight: _Optional[float] = ..., detail: _Optional[str] = ...) -> None: ...

class Flag(_message.Message):
    __slots__ = ("name", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    detail: str
    def __init__(self, name: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("reason", "message", "retryable")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    reason: FailureReason
    message: str
    retryable: bool
    def __init__(self, reason: _Optional[_Union[FailureReason, str]] = ..., message: _Optional[str] = ..., retryable: bool = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("grader", "grader_version", "runtime", "image_digest", "assurance_level", "queue_duration", "run_duration", "shared")
    GRADER_FIELD_NUMBER: _ClassVar[int]
    GRADER_VERSION_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ASSURANCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    QUEUE_DURATION_FIELD_NUMBER: _ClassVar[int]
    RUN_DURATION_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    grader: str
    grader_version: str
    runtime: str
    image_digest: str
    assurance_level: AssuranceLevel
    queue_duration: _duration_pb2.Duration
    run_duration: _duration_pb2.Duration
    shared: bool
    def __init__(self, grader: _Optional[str] = ..., grader_version: _Optional[str] = ..., runtime: _Optional[str] = ..., image_digest: _Optional[str] = ..., assurance_level: _Optional[_Union[AssuranceLevel, str]] = ..., queue_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., run_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., shared: bool = ...) -> None: ...
