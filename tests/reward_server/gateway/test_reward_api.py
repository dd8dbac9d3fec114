"""The contract's own calls over HTTP: the same results as over gRPC, in canonical JSON."""

import asyncio
import json
import re
from importlib.resources import files

import httpx
import jsonschema
import pytest
import toy
from google.protobuf import json_format
from http_gateway import SLOW_TASK, detail_of, gateway, half, real_gateway
from openapi_spec_validator import OpenAPIV31SpecValidator
from reward.v1 import reward_service_pb2 as pb
from serving import calls

TASKS = [{"taskId": "m", "mathAnswer": {"expected": "4"}}, {"taskId": "p", **SLOW_TASK}]
SAMPLES = [
    {"sampleId": "0", "taskId": "m", "response": "4"},
    {"sampleId": "1", "taskId": "m", "response": ""},
    {"sampleId": "2", "taskId": "p", "response": "x"},
]
REQUEST = {"runId": "r", "tasks": TASKS, "samples": SAMPLES}
DOCUMENT = json.loads((files("reward_server.gateway") / "openapi.json").read_text("utf-8"))


def validator(name):
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return jsonschema.Draft202012Validator(schema)


async def test_the_same_verdicts_as_over_grpc():
    """One server, one request, both transports: the results are the same but for times and memory."""
    async with gateway(half) as client, calls(client.server) as grpc:
        http = json_format.Parse((await client.post("/reward/v1/score", json=REQUEST)).text, pb.ScoreResponse())
        other = await grpc.score(json_format.ParseDict(REQUEST, pb.ScoreRequest()))
    for answer in (http, other):
        for result in answer.results:
            for name in ("queue_duration", "run_duration", "shared"):
                result.provenance.ClearField(name)
    assert http == other
    assert [result.verdict.score for result in http.results] == [1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("accept", "before", "media"),
    [("*/*", "", "application/x-ndjson"), ("text/event-stream", "data: ", "text/event-stream")],
)
async def test_results_are_streamed_when_they_are_there(accept, before, media):
    """Each result is a line, or an event where the client asks for events; what is quick does not wait."""
    gate, seen = toy.Gate(), []
    async with gateway(handler_of(gate)) as client:
        asked = {"json": REQUEST, "headers": {"Accept": accept}}
        async with client.stream("POST", "/reward/v1/score_stream", **asked) as answer:
            assert answer.headers["content-type"].startswith(media)
            async for line in answer.aiter_lines():
                if line:
                    assert line.startswith(before)
                    seen.append(json.loads(line.removeprefix(before))["result"]["sampleId"])
                if len(seen) == 2:
                    gate.opened.set()
    assert sorted(seen[:2]) == ["0", "1"]
    assert seen[2:] == ["2"]


def handler_of(gate):
    async def handle(job):
        gate.begun.set()
        await gate.opened.wait()
        return half(job)

    return handle


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"samples": []}, "samples: 0 samples, at least 1"),
        ({"tasks": [{"taskId": "m", "mathAnswr": {}}]}, "tasks[0]: Message type"),
        ({"tasks": [{"taskId": "m", "mathAnswer": {"expected": 4}}]}, "expected: expected string"),
        ({"samples": [{"taskId": "other", "response": "x"}]}, "samples[0].task_id: no task"),
        ({"runId": "x" * 300}, "run_id: 300 characters"),
    ],
)
async def test_a_malformed_request_names_the_field(change, said):
    """INVALID_ARGUMENT of the contract is a 400 whose message has the path."""
    async with gateway() as client:
        answer = await client.post("/reward/v1/score", json=REQUEST | change)
    assert answer.status_code == 400
    assert said in detail_of(answer)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "x", "1e9"])
async def test_a_wrong_timeout_is_refused(seconds):
    """A deadline is a positive number of seconds, at most a day."""
    async with gateway() as client:
        answer = await client.post("/reward/v1/score", params={"timeout_seconds": seconds}, json=REQUEST)
    assert answer.status_code == 400
    assert detail_of(answer).startswith("timeout_seconds")


async def test_results_that_come_too_late_are_failures():
    """With a deadline, what is not there by then is a Failure DEADLINE, and the rest is a verdict."""
    gate = toy.Gate()
    async with gateway(gate) as client:
        answer = await client.post("/reward/v1/score", params={"timeout_seconds": "0.2"}, json=REQUEST)
    results = answer.json()["results"]
    assert results[0]["verdict"]["score"] == 1.0
    assert results[2]["failure"]["reason"] == "FAILURE_REASON_DEADLINE"
    assert gate.cancelled == 1


async def test_health_turns_when_the_server_drains():
    """Health is 200 while work is taken, and 503 afterwards."""
    async with gateway() as client:
        first = await client.get("/health")
        client.server._admission.draining = True
        second = await client.get("/health")
    assert (first.status_code, first.json()) == (200, {"status": "healthy"})
    assert (second.status_code, second.json()["status"]) == (503, "unhealthy")


async def test_the_description_is_valid_openapi_and_holds():
    """The document passes a validator, and requests and answers are what it says."""
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    async with gateway() as client:
        assert (await client.get("/openapi.json")).json() == DOCUMENT
        answer = (await client.post("/reward/v1/score", json=REQUEST)).json()
        capabilities = (await client.get("/reward/v1/capabilities")).json()
        refusal = (await client.post("/reward/v1/score", json={})).json()
    validator("ScoreRequest").validate(REQUEST)
    validator("ScoreResponse").validate(answer)
    validator("GetCapabilitiesResponse").validate(capabilities)
    validator("Error").validate(refusal)
    assert not validator("ScoreRequest").is_valid({"tasks": [{"taskId": "t", "mathAnswr": {}}]})
    assert not validator("ScoreRequest").is_valid({"tasks": [{"taskId": "t"}]})


def test_every_field_of_the_description_is_explained():
    """What the protos' comments say is in the document, for every message and field."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema["description"], name
        for field, described in schema.get("properties", {}).items():
            assert described.get("description") or name == "Error", f"{name}.{field}"


PAGE = (files("reward_server.gateway") / "page.html").read_text("utf-8")
EXAMPLES = json.loads(re.search(r'id="examples">(.*?)</script>', PAGE, re.DOTALL)[1])


async def test_the_page_is_whole_and_harmless():
    """The page loads nothing from elsewhere, and may not, and writes what models said as text only."""
    async with gateway() as client:
        answer = await client.get("/")
    assert answer.text == PAGE
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"https?://|innerHTML|insertAdjacentHTML|document\.write|eval\(", PAGE)


async def test_the_examples_of_the_page_are_graded_as_they_are_called():
    """Every example's response gets what its name promises, in a real sandbox."""
    promised = {"right": {1.0}, "partly right": "between", "wrong": {0.0}}
    async with real_gateway() as client:
        for example in EXAMPLES:
            task = {"taskId": "t", **example["task"]}
            names = list(example["responses"])
            samples = [{"sampleId": n, "taskId": "t", "response": example["responses"][n]} for n in names]
            answer = await client.post("/reward/v1/score", json={"tasks": [task], "samples": samples})
            for result in answer.json()["results"]:
                score, name = result["verdict"]["score"], result["sampleId"]
                if promised.get(name) == "between":
                    assert 0.0 < score < 1.0, (example["name"], name)
                elif name in promised:
                    assert score in promised[name], (example["name"], name)
                else:
                    assert score < 1.0, (example["name"], name)


async def test_a_large_request_does_not_hold_up_the_others():
    """While a request of some megabytes is read, health is answered."""
    text = "x" * 1000
    samples = [{"sampleId": str(i), "taskId": "m", "response": text} for i in range(4000)]
    async with gateway() as client:
        asking = asyncio.ensure_future(client.post("/reward/v1/score", json={**REQUEST, "samples": samples}))
        async with httpx.AsyncClient(base_url=client.server.http_url, trust_env=False) as other:
            assert (await other.get("/health")).status_code == 200
        assert len((await asking).json()["results"]) == 4000
