from reward.v1 import result_pb2 as _result_pb2
from reward.v1 import sample_pb2 as _sample_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScoreRequest(_message.Message):
    __slots__ = ("run_id", "tasks", "samples")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    tasks: _containers.RepeatedCompositeFieldContainer[_sample_pb2.Task]
    samples: _containers.RepeatedCompositeFieldContainer[_sample_pb2.Sample]
    def __init__(self, run_id: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[_sample_pb2.Task, _Mapping]]] = ..., samples: _Optional[_Iterable[_Union[_sample_pb2.Sample, _Mapping]]] = ...) -> None: ...

class ScoreResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[_result_pb2.Result]
    def __init__(self, results: _Optional[_Iterable[_Union[_result_pb2.Result, _Mapping]]] = ...) -> None: ...

class ScoreStreamRequest(_message.Message):
    __slots__ = ("run_id", "tasks", "samples")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    tasks: _containers.RepeatedCompositeFieldContainer[_sample_pb2.Task]
    samples: _containers.RepeatedCompositeFieldContainer[_sample_pb2.Sample]
    def __init__(self, run_id: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[_sample_pb2.Task, _Mapping]]] = ..., samples: _Optional[_Iterable[_Union[_sample_pb2.Sample, _Mapping]]] = ...) -> None: ...

class ScoreStreamResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _result_pb2.Result
    def __init__(self, result: _Optional[_Union[_result_pb2.Result, _Mapping]] = ...) -> None: ...

class GetCapabilitiesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetCapabilitiesResponse(_message.Message):
    __slots__ = ("server_version", "graders", "sandbox", "default_limits", "max_limits", "max_message_bytes", "max_samples_per_request", "max_response_bytes", "max_queued_samples", "concurrency")
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    GRADERS_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_LIMITS_FIELD_NUMBER: _ClassVar[int]
    MAX_LIMITS_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_SAMPLES_PER_REQUEST_FIELD_NUMBER: _ClassVar[int]
    MAX_RESPONSE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_QUEUED_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    server_version: str
    graders: _containers.RepeatedCompositeFieldContainer[GraderInfo]
    sandbox: SandboxInfo
    default_limits: _sample_pb2.Limits
    max_limits: _sample_pb2.Limits
    max_message_bytes: int
    max_samples_per_request: int
    max_response_bytes: int
    max_queued_samples: int
    concurrency: int
    def __init__(self, server_version: _Optional[str] = ..., graders: _Optional[_Iterable[_Union[GraderInfo, _Mapping]]] = ..., sandbox: _Optional[_Union[SandboxInfo, _Mapping]] = ..., default_limits: _Optional[_Union[_sample_pb2.Limits, _Mapping]] = ..., max_limits: _Optional[_Union[_sample_pb2.Limits, _Mapping]] = ..., max_message_bytes: _Optional[int] = ..., max_samples_per_request: _Optional[int] = ..., max_response_bytes: _Optional[int] = ..., max_queued_samples: _Optional[int] = ..., concurrency: _Optional[int] = ...) -> None: ...

class GraderInfo(_message.Message):
    __slots__ = ("name", "version", "languages")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    languages: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., languages: _Optional[_Iterable[str]] = ...) -> None: ...

class SandboxInfo(_message.Message):
    __slots__ = ("runtime", "image_digest", "assurance_level", "layers")
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ASSURANCE_LEVEL_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    runtime: str
    image_digest: str
    assurance_level: _result_pb2.AssuranceLevel
    layers: _containers.RepeatedCompositeFieldContainer[IsolationLayer]
    def __init__(self, runtime: _Optional[str] = ..., image_digest: _Optional[str] = ..., assurance_level: _Optional[_Union[_result_pb2.AssuranceLevel, str]] = ..., layers: _Optional[_Iterable[_Union[IsolationLayer, _Mapping]]] = ...) -> None: ...

class IsolationLayer(_message.Message):
    __slots__ = ("name", "active", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    active: bool
    detail: str
    def __init__(self, name: _Optional[str] = ..., active: bool = ..., detail: _Optional[str] = ...) -> None: ...
