"""The OpenAPI description of the contract's calls over HTTP, made from the protos and their comments.

Messages become schemas of their canonical JSON: field names in lowerCamelCase, enums by name, 64-bit integers as
strings, durations as seconds with an `s`. `generate.py` writes the document to reward_server/gateway/openapi.json.
"""

import json
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

_PACKAGE = ".reward.v1."
_DURATION = ".google.protobuf.Duration"
_MESSAGE_TYPE, _ENUM_TYPE, _FIELD, _VALUE, _SERVICE, _METHOD = 4, 5, 2, 2, 6, 2
"""Numbers of fields in descriptors, of which the paths of comments are made."""
_SCALARS: dict[str, dict[str, Any]] = {
    "TYPE_DOUBLE": {"type": "number"},
    "TYPE_FLOAT": {"type": "number"},
    "TYPE_INT32": {"type": "integer"},
    "TYPE_UINT32": {"type": "integer", "minimum": 0},
    "TYPE_INT64": {"type": ["string", "integer"]},
    "TYPE_UINT64": {"type": ["string", "integer"]},
    "TYPE_BOOL": {"type": "boolean"},
    "TYPE_STRING": {"type": "string"},
    "TYPE_BYTES": {"type": "string", "contentEncoding": "base64"},
}
_CALLS = {
    "Score": ("post", "/reward/v1/score", "application/json"),
    "ScoreStream": ("post", "/reward/v1/score_stream", "application/x-ndjson"),
    "GetCapabilities": ("get", "/reward/v1/capabilities", "application/json"),
}
"""By method of the service: how it is called over HTTP, and what the answer is."""
_REFUSALS = {
    "400": "The request is malformed; the message names the field's path.",
    "401": "The bearer token is missing or wrong.",
    "413": "The body is larger than `Capabilities.max_message_bytes`.",
    "429": "The queue is full; nothing was accepted. `Retry-After` says when to try again.",
    "503": "The server drains; try again as for 429.",
}
_ERROR = {
    "type": "object",
    "description": "Why a call was not accepted.",
    "properties": {
        "detail": {"type": "string"},
        "error": {
            "type": "object",
            "properties": {"message": {"type": "string"}, "code": {"type": "string"}, "retryable": {"type": "boolean"}},
        },
    },
}
_TIMEOUT = {
    "name": "timeout_seconds",
    "in": "query",
    "description": "How long the caller waits: results that are not there by then are Failures DEADLINE.",
    "schema": {"type": "number", "exclusiveMinimum": 0},
}


def document(protos: FileDescriptorSet) -> str:
    """Return the document as JSON text. ``protos`` must hold source information."""
    schemas: dict[str, Any] = {"Error": _ERROR}
    paths: dict[str, Any] = {}
    for file in protos.file:
        if file.package != "reward.v1":
            continue
        comments = _comments(file)
        for i, message in enumerate(file.message_type):
            schemas[message.name] = _message(message, comments, (_MESSAGE_TYPE, i))
        for i, enum in enumerate(file.enum_type):
            schemas[enum.name] = _enum(enum, comments, (_ENUM_TYPE, i))
        for i, service in enumerate(file.service):
            for j, method in enumerate(service.method):
                description = comments.get((_SERVICE, i, _METHOD, j), "")
                verb, path, media = _CALLS[method.name]
                paths[path] = {verb: _call(method, description, verb, media)}
    paths["/health"] = {"get": _health()}
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Reward server",
            "version": "v1",
            "summary": "Grades what language models write, in sandboxes.",
            "description": "The calls of `reward.v1` over HTTP. Messages are those of the protos, in canonical JSON.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {
        tuple(location.path): " ".join(location.leading_comments.split())
        for location in file.source_code_info.location
        if location.leading_comments
    }


def _message(message: DescriptorProto, comments: dict[tuple[int, ...], str], path: tuple[int, ...]) -> dict[str, Any]:
    maps = {f".{nested.name}": nested for nested in message.nested_type if nested.options.map_entry}
    properties: dict[str, Any] = {}
    for i, field in enumerate(message.field):
        schema = _field(field, maps)
        if said := comments.get((*path, _FIELD, i)):
            schema["description"] = said
        properties[field.json_name] = schema
    described: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if said := comments.get(path):
        described = {"description": said, **described}
    choices = [
        [field.json_name for field in message.field if field.HasField("oneof_index") and field.oneof_index == number]
        for number, oneof in enumerate(message.oneof_decl)
        if not oneof.name.startswith("_")
    ]
    if choices:
        described["allOf"] = [{"oneOf": [{"required": [name]} for name in names]} for names in choices]
    return described


def _field(field: FieldDescriptorProto, maps: dict[str, DescriptorProto]) -> dict[str, Any]:
    entry = next((nested for name, nested in maps.items() if field.type_name.endswith(name)), None)
    if entry is not None:
        return {"type": "object", "additionalProperties": _single(entry.field[1])}
    single = _single(field)
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return {"type": "array", "items": single}
    return single


def _single(field: FieldDescriptorProto) -> dict[str, Any]:
    if field.type_name == _DURATION:
        return {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?s$"}
    if field.type_name:
        return {"$ref": f"#/components/schemas/{field.type_name.removeprefix(_PACKAGE)}"}
    return dict(_SCALARS[FieldDescriptorProto.Type.Name(field.type)])


def _enum(enum: EnumDescriptorProto, comments: dict[tuple[int, ...], str], path: tuple[int, ...]) -> dict[str, Any]:
    meanings = [f"`{value.name}`: {comments.get((*path, _VALUE, i), '')}" for i, value in enumerate(enum.value)]
    description = "\n".join([comments.get(path, ""), *meanings])
    return {"type": "string", "description": description, "enum": [value.name for value in enum.value]}


def _call(method: Any, description: str, verb: str, media: str) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": _answer(description, media, method.output_type.removeprefix(_PACKAGE))}
    answers |= {status: _answer(said, "application/json", "Error") for status, said in _REFUSALS.items()}
    call: dict[str, Any] = {"operationId": method.name, "summary": description, "responses": answers}
    if media != "application/json":
        answers["200"]["content"]["text/event-stream"] = answers["200"]["content"][media]
    if verb == "post":
        content = _answer("", "application/json", method.input_type.removeprefix(_PACKAGE))["content"]
        call |= {"requestBody": {"required": True, "content": content}, "parameters": [_TIMEOUT]}
    return call


def _answer(description: str, media: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _health() -> dict[str, Any]:
    status = {"type": "object", "properties": {"status": {"enum": ["healthy", "unhealthy"]}}}
    content = {"application/json": {"schema": status}}
    return {
        "operationId": "Health",
        "summary": "Says whether the server takes work; needs no token.",
        "security": [{}],
        "responses": {
            "200": {"description": "It does.", "content": content},
            "503": {"description": "It drains.", "content": content},
        },
    }
