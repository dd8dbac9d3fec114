"""An environment of one step, over HTTP and over a WebSocket."""

import json

import pytest
import websockets
from http_gateway import SLOW_TASK, dead, detail_of, gateway

MATH = {"mathAnswer": {"expected": "4"}}


async def test_an_episode_over_http():
    """Reset gives the prompt, one step gives the reward, and then it is done."""
    async with gateway() as client:
        begun = (await client.post("/reset", json={"task": MATH, "prompt": "2+2?", "episode_id": "e"})).json()
        stepped = (await client.post("/openenv/step", json={"action": {"response": "4"}})).json()
        state = (await client.get("/state")).json()
        again = await client.post("/step", json={"action": {"response": "4", "episode_id": "e"}})
    assert begun == {
        "observation": {"episode_id": "e", "prompt": "2+2?", "grader": "math_answer"},
        "reward": None,
        "done": False,
    }
    assert (stepped["reward"], stepped["done"]) == (1.0, True)
    assert stepped["observation"]["ruling"] == "accepted"
    assert state == {"episode_id": "e", "step_count": 1, "done": True}
    assert detail_of(again) == "step: the episode is done; reset begins another"


async def test_what_it_is():
    """Metadata, schemas and health are answered as OpenEnv's tools ask for them."""
    async with gateway() as client:
        assert (await client.get("/metadata")).json()["name"] == "reward-server"
        assert set((await client.get("/schema")).json()) == {"action", "observation", "state"}
        assert (await client.get("/openenv/health")).json() == {"status": "healthy"}


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/reset", {}, "label: a task as JSON"),
        ("/reset", {"task": {"mathAnswr": {}}}, "task: a task as JSON"),
        ("/step", {"action": {}}, "action: Object missing required field `response`"),
        ("/step", {"action": {"response": "x"}}, "episode_id: no episode is called ''"),
        ("/step", {"action": {"response": "x", "label": "4"}, "timeout_s": 0}, "timeout_s: 0 is not above 0"),
    ],
)
async def test_malformed_bodies_name_the_field(path, body, said):
    """What is wrong is told by its path."""
    async with gateway() as client:
        answer = await client.post(path, json=body)
    assert answer.status_code == 400
    assert said in detail_of(answer)


async def talk(client, *messages):
    """Send each message and return the answers."""
    async with websockets.connect(client.server.http_url.replace("http", "ws") + "/ws", proxy=None) as socket:
        answers = []
        for message in messages:
            await socket.send(message if isinstance(message, str) else json.dumps(message))
            answers.append(json.loads(await socket.recv()))
        return answers


async def test_a_session_over_a_socket():
    """Each connection has its own episode; a further reset begins another."""
    async with gateway() as client:
        answers = await talk(
            client,
            {"type": "reset", "data": {"task": MATH, "prompt": "2+2?"}},
            {"type": "step", "data": {"response": "5"}},
            {"type": "reset", "data": {"label": "4"}},
            {"type": "step", "data": {"response": "4"}},
            {"type": "state"},
        )
    assert [answer["type"] for answer in answers] == ["observation"] * 4 + ["state"]
    assert [answers[i]["data"]["reward"] for i in range(4)] == [None, 0.0, None, 1.0]
    assert answers[4]["data"]["done"] is True


async def test_bytes_over_a_socket_close_it():
    """Messages are text; others end the session with the code for it."""
    async with gateway() as client:
        socket = await websockets.connect(client.server.http_url.replace("http", "ws") + "/ws", proxy=None)
        await socket.send(b"bytes")
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd.code == 1003


async def test_errors_over_a_socket_have_codes_and_the_session_goes_on():
    """Whatever is wrong is an error message; a Failure is one too, never a reward."""
    async with gateway(dead) as client:
        answers = await talk(
            client,
            "{",
            "[]",
            {"type": "dance"},
            {"type": "step", "data": {"response": "x"}},
            {"type": "reset", "data": {"task": 5, "seed": "x"}},
            {"type": "step", "data": {"response": "x", "task": SLOW_TASK}},
            {"type": "step", "data": {"response": "4", "task": MATH}},
        )
    codes = [answer["data"].get("code") for answer in answers]
    assert codes == [
        "VALIDATION_ERROR",
        "VALIDATION_ERROR",
        "UNKNOWN_TYPE",
        *["VALIDATION_ERROR"] * 2,
        "EXECUTION_ERROR",
        None,
    ]
    assert "the daemon is gone" in answers[5]["data"]["message"]
    assert answers[6]["data"]["reward"] == 1.0
