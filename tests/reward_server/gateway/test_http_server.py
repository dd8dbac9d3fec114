"""The listener: addresses, certificates, warnings, and an end in order."""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import toy
from http_gateway import SLOW_TASK, client, gateway, half
from serving import INFO, serving

from reward_server.config import Config, ConfigError
from reward_server.graders import GRADERS
from reward_server.server import RewardServer
from sandboxes.scripted_sandbox import ScriptedSandbox

EXAMPLE = Path(__file__).parents[3] / "examples" / "stream_over_http.py"


@pytest.mark.parametrize("address", ["8080", "127.0.0.1", "127.0.0.1:x", ":80"])
async def test_an_address_that_is_none_is_refused(address):
    """The message names the key and the value."""
    async with ScriptedSandbox(half, info=INFO) as sandbox:
        with pytest.raises(ConfigError, match=f"http: '{address}' is no host and port"):
            RewardServer(sandbox, Config(http=address))


async def test_a_taken_port_is_an_error_that_names_it():
    """A second gateway on the same port does not start."""
    async with gateway() as one, ScriptedSandbox(half, info=INFO) as sandbox:
        taken = one.server.http_url.removeprefix("http://")
        second = RewardServer(sandbox, Config(listen="127.0.0.1:0", http=taken))
        with pytest.raises(ConfigError, match=f"cannot listen on {taken}"):
            await second.start()
        await second.stop()


async def test_ipv6_loopback_is_loopback():
    """An address in brackets is listened on, and needs no token either."""
    async with serving(half, graders=GRADERS, http="[::1]:0") as server, client(server) as one:
        assert server.http_url.startswith("http://[::1]:")
        assert (await one.get("/health")).status_code == 200


async def test_tls_is_that_of_grpc(certificate):
    """With certificate and key HTTP is HTTPS too, and nothing else."""
    key, cert = certificate
    async with gateway(tls_key=str(key), tls_certificate=str(cert)) as one:
        assert one.server.http_url.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(cert))
        url = one.server.http_url.replace("127.0.0.1", "localhost")
        async with httpx.AsyncClient(verify=trusted, trust_env=False) as secure:
            assert (await secure.get(f"{url}/health")).status_code == 200
        with pytest.raises(httpx.TransportError):
            await one.get(one.server.http_url.replace("https", "http") + "/health")


@pytest.fixture
def certificate(tmp_path):
    """A fresh key and a certificate for localhost that it signed itself."""
    key, cert = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return key, cert


async def test_a_broken_certificate_is_an_error_of_the_configuration(tmp_path):
    """It is found at the start, and named."""
    (tmp_path / "x.pem").write_text("no certificate")
    path = str(tmp_path / "x.pem")
    with pytest.raises(ConfigError, match="cannot listen on"):
        async with gateway(tls_key=path, tls_certificate=path):
            pass


async def test_reaching_beyond_this_machine_unprotected_is_said(caplog):
    """Without token or TLS a gateway that others reach warns."""
    async with serving(half, graders=GRADERS, http="0.0.0.0:0"):
        pass
    assert "HTTP reaches beyond this machine without a token or without TLS" in caplog.text


async def test_draining_answers_what_was_accepted():
    """What runs is answered while newcomers are refused; then the port is closed."""
    gate = toy.Gate()

    async def handler(job):
        gate.begun.set()
        await gate.opened.wait()
        return half(job)

    async with gateway(handler) as one:
        running = asyncio.ensure_future(one.post("/slime", json={"response": "x", "label": SLOW_TASK}))
        await gate.begun.wait()
        drain = asyncio.ensure_future(one.server.drain())
        await asyncio.sleep(0.05)
        assert (await one.post("/slime", json={"response": "4", "label": "4"})).status_code == 503
        gate.opened.set()
        assert (await running).json() == 0.5
        await asyncio.wait_for(drain, 60)
        with pytest.raises(httpx.ConnectError):
            await one.get("/health")


async def test_a_drain_ends_in_time():
    """A request that outlasts the time for draining is told to come back, and its job is cancelled."""
    gate = toy.Gate()
    async with gateway(gate, drain_seconds=0.1) as one:
        running = asyncio.ensure_future(one.post("/slime", json={"response": "x", "label": SLOW_TASK}))
        await gate.begun.wait()
        await asyncio.wait_for(one.server.drain(), 60)
        assert (await running).status_code == 503
    assert gate.cancelled == 1


async def test_the_program_serves_both_until_it_is_told():
    """`serve --http` announces both addresses, the example works with it, and SIGTERM ends it in order."""
    command = ["-m", "reward_server", "serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--sandbox", "local"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command, "--boxes", "1"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout
    url = (await process.stdout.readline()).decode().split()[-1]
    assert (await process.stdout.readline()).startswith(b"reward-server listens on 127.0.0.1:")
    async with httpx.AsyncClient(trust_env=False, timeout=60) as one:
        body = {"code": "print(6 * 7)", "language": "python"}
        said = (await one.post(f"{url}/run_code", json=body)).json()
    example = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await example.communicate()
    os.kill(process.pid, signal.SIGTERM)
    assert sorted(line.split()[:2] for line in printed.decode().splitlines()) == [["right", "1.0"], ["wrong", "0.0"]]
    assert said["run_result"]["stdout"] == "42\n"
    assert await process.wait() == 0
