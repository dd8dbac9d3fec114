"""Who may ask, how much, and that nobody's work outlives them."""

import asyncio
import json

import httpx
import pytest
import pytest_asyncio
import toy
import websockets
from http_gateway import SLOW_TASK, detail_of, gateway, half

BODY = {"response": "x", "label": "4"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer secret"}, 200),
        ({"Authorization": "bearer secret"}, 200),
        ({"Authorization": "Basic dG9rZW46c2VjcmV0"}, 200),
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "secret"}, 401),
        ({"Authorization": "Basic secret"}, 401),
        ({"Authorization": "Basic c2VjcmV0"}, 401),
    ],
)
async def test_the_token_opens_every_path_but_a_few(headers, status):
    """The token comes as bearer token, or as the password in the URL for clients that take no headers."""
    async with gateway(token="secret", headers=headers) as client:
        answers = [await client.post("/slime", json=BODY), await client.get("/reward/v1/capabilities")]
        open_to_all = [await client.get(path) for path in ("/health", "/v1/ping", "/", "/openapi.json")]
    assert [answer.status_code for answer in answers] == [status] * 2
    assert [answer.status_code for answer in open_to_all] == [200] * 4


async def test_a_url_can_carry_the_token():
    """Clients that only take a URL, as verl's and OpenRLHF's, put the token into it."""
    async with gateway(token="secret") as client:
        url = client.server.http_url.replace("http://", "http://token:secret@")
        async with httpx.AsyncClient(trust_env=False) as other:
            assert (await other.post(f"{url}/slime", json=BODY)).status_code == 200


async def test_a_socket_needs_the_token_too():
    """A WebSocket without the token is refused before it opens."""
    async with gateway(token="secret") as client:
        url = client.server.http_url.replace("http://", "ws://") + "/ws"
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await websockets.connect(url, proxy=None)
        assert refusal.value.response.status_code == 403
        async with websockets.connect(url.replace("ws://", "ws://token:secret@"), proxy=None) as socket:
            await socket.send('{"type": "state"}')
            assert json.loads(await socket.recv())["type"] == "state"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_pages_of_other_sites_are_refused(origin):
    """A browser page from elsewhere cannot make the server work, by request or by socket."""
    async with gateway(headers={"Origin": origin}) as client:
        answer = await client.post("/slime", json=BODY)
        url = client.server.http_url.replace("http://", "ws://") + "/ws"
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(url, origin=origin, proxy=None)
    assert answer.status_code == 403


async def test_the_own_page_is_not_refused():
    """What the page of this very server asks is answered."""
    async with gateway() as client:
        answer = await client.post("/slime", json=BODY, headers={"Origin": client.server.http_url})
    assert answer.status_code == 200


@pytest.mark.parametrize(("host", "status"), [("evil.example", 403), ("localhost:80", 200), ("[::1]:80", 200)])
async def test_a_name_that_was_bent_to_this_machine_is_refused(host, status):
    """Without a token a server on loopback answers under loopback's names only."""
    async with gateway() as client:
        assert (await client.post("/slime", json=BODY, headers={"Host": host})).status_code == status


async def chunks():
    for _ in range(3):
        yield b"x" * (40 << 10)


@pytest.mark.parametrize("content", [b"x" * (65 << 10), chunks], ids=["announced", "in chunks"])
async def test_a_body_that_is_too_large_is_refused(content):
    """Past max_message_bytes nothing more is read, whether the length was announced or not."""
    async with gateway(max_message_bytes=64 << 10) as client:
        answer = await client.post("/slime", content=content() if callable(content) else content)
    assert answer.status_code == 413
    assert "max_message_bytes = 65536" in detail_of(answer)


async def test_compressed_bodies_are_refused():
    """A small body that unpacks to a large one is no way around the limit."""
    async with gateway() as client:
        answer = await client.post("/slime", content=b"x", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"NaN", b"[" * 100_000, b'{"response": 1e999}'])
@pytest.mark.parametrize(
    "path",
    ["/slime", "/openrlhf", "/verify", "/evaluate", "/nova", "/run_code", "/submit", "/step", "/reward/v1/score"],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_no_json_of_the_right_kind_is_a_clear_error(path, body, shared):
    """Whatever comes, the answer is a 400 with a message; except for an empty list, which Nova's shape allows."""
    answer = await shared.post(path, content=body)
    if (path, body) == ("/nova", b"[]"):
        assert answer.json() == []
    else:
        assert answer.status_code == 400
        assert detail_of(answer)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared():
    async with gateway() as client:
        yield client


@pytest.mark.parametrize("path", ["/slime", "/run_code", "/reward/v1/score_stream"])
async def test_a_client_that_goes_leaves_nothing_running(path):
    """When the connection closes the job in the box is cancelled and its place in the queue is free."""
    gate = toy.Gate()
    task = {"taskId": "t", **SLOW_TASK}
    body = {
        "/slime": {"response": "x", "label": SLOW_TASK},
        "/run_code": {"code": "1", "language": "python"},
        "/reward/v1/score_stream": {"tasks": [task], "samples": [{"taskId": "t", "response": "x"}]},
    }[path]
    async with gateway(gate) as client:
        async with httpx.AsyncClient(base_url=client.server.http_url, trust_env=False) as impatient:
            asking = asyncio.ensure_future(impatient.post(path, json=body))
            await gate.begun.wait()
            assert client.server._admission._engine.accepted == 1
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        async with asyncio.timeout(60):
            await client.server._admission._idle.wait()
    assert gate.cancelled == 1


async def test_a_socket_that_closes_leaves_nothing_running():
    """The same for a step over a WebSocket."""
    gate = toy.Gate()
    async with gateway(gate) as client:
        async with websockets.connect(client.server.http_url.replace("http", "ws") + "/ws", proxy=None) as socket:
            await socket.send(json.dumps({"type": "step", "data": {"response": "x", "task": SLOW_TASK}}))
            await gate.begun.wait()
        async with asyncio.timeout(60):
            await client.server._admission._idle.wait()
    assert gate.cancelled == 1


async def test_an_unknown_path_says_so():
    """A path or method that is not there is told in the shape of every error."""
    async with gateway(half) as client:
        assert (await client.post("/nope")).status_code == 404
        assert (await client.get("/slime")).status_code == 405
        assert "docs/gateway.md" in detail_of(await client.get("/nope"))
