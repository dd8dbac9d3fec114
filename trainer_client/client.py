"""The client for threads: score, stream, capabilities, health. Its twin for asyncio is in `async_client`.

Threads: one client may be shared by any number of them.

Forks: the connection is made at the first call, so a client may be made before a fork and used on both sides of it.
After the first call gRPC's threads run in the process, and a forked child cannot use it; the child gets a `RewardError`
that says what to do, instead of a hang. With GRPC_ENABLE_FORK_SUPPORT=1 in the environment it connects anew.
"""

import os
import time
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from reward.v1 import reward_service_pb2, reward_service_pb2_grpc

from trainer_client import batching, wire
from trainer_client.capabilities import Capabilities
from trainer_client.channels import (
    HEALTH_METHOD,
    HEALTH_REQUEST,
    OPTIONS,
    absent,
    call_metadata,
    channel_credentials,
    reward_error,
    serves,
    wait_after,
)
from trainer_client.processes import note_connection
from trainer_client.results import Result
from trainer_client.retries import Deadline, RetryPolicy
from trainer_client.samples import Sample


class RewardClient:
    """Talks to one reward server. When a call fails, every verb raises `RewardError`, and nothing else."""

    def __init__(
        self,
        address: str = "127.0.0.1:50051",
        *,
        run_id: str = "",
        token: str | None = None,
        tls: bool = False,
        tls_roots: Path | str | None = None,
        timeout_seconds: float | None = 600.0,
        retries: RetryPolicy | None = None,
    ) -> None:
        """Nothing is connected yet.

        ``run_id`` names the training run in the server's logs. ``token``: the bearer token; default what is in
        REWARD_SERVER_TOKEN. ``tls_roots``: a PEM file of certificates to trust; implies ``tls``.
        ``timeout_seconds``: the deadline of every call, retries included; None for none.
        """
        self._address = address
        self._run_id = run_id
        self._metadata = call_metadata(token)
        self._credentials = channel_credentials(tls_roots) if tls or tls_roots else None
        self._timeout_seconds = timeout_seconds
        self._retries = retries or RetryPolicy()
        self._connections: dict[int, _Connection] = {}  # by process: a fork has a connection of its own
        self._limits: Capabilities | None = None

    def score(self, samples: Iterable[Sample], *, timeout_seconds: float | None = None) -> list[Result]:
        """Return one result for each sample, in their order, when all are graded.

        As many requests are made, one after the other, as the server's limits ask for. ``timeout_seconds`` is for the
        whole call; default: the client's.
        """
        deadline = self._deadline(timeout_seconds)
        graded: list[Result] = []
        for batch in batching.batches(samples, self._known_limits(deadline), self._run_id):
            request = batch.score_request(self._run_id)
            graded += batching.results(self._ask("Score", request, deadline, batch.offset), batch)
        return graded

    def stream(self, samples: Iterable[Sample], *, timeout_seconds: float | None = None) -> Iterator[Result]:
        """Yield each result as soon as it is there, in any order; the `sample_id` says whose it is.

        A broken stream is taken up again where it broke. Leaving the loop early cancels what still runs.
        """
        deadline = self._deadline(timeout_seconds)
        limits = self._known_limits(deadline)
        for batch in batching.batches(samples, limits, self._run_id, distinct=True):
            progress = batching.Progress(batch, self._run_id)
            attempt = 0
            while not progress.complete:
                attempt += 1
                call = self._connection().stub.ScoreStream(
                    progress.request(), timeout=deadline.seconds_left(), metadata=self._metadata
                )
                try:
                    for message in call:
                        yield progress.take(message)
                    progress.end()
                except grpc.RpcError as error:
                    time.sleep(wait_after(error, attempt, deadline, self._retries, batch.offset))
                finally:
                    call.cancel()

    def capabilities(self, *, timeout_seconds: float | None = None) -> Capabilities:
        """Return what the server can grade, within which limits, and how well its sandbox isolates."""
        request = reward_service_pb2.GetCapabilitiesRequest()
        self._limits = wire.capabilities(self._ask("GetCapabilities", request, self._deadline(timeout_seconds)))
        return self._limits

    def health(self, *, timeout_seconds: float = 5.0) -> bool:
        """Return whether the server is there and takes work; False too when nobody answers. Never retried."""
        check = self._connection().channel.unary_unary(HEALTH_METHOD, bytes, bytes)
        try:
            return serves(check(HEALTH_REQUEST, timeout=timeout_seconds, metadata=self._metadata))
        except grpc.RpcError as error:
            if absent(error):
                return False
            raise reward_error(error) from None

    def close(self) -> None:
        """Close this process's connection; calls in flight fail. A later call connects anew."""
        if (connection := self._connections.pop(os.getpid(), None)) is not None:
            connection.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, request: Any, deadline: Deadline, offset: int = 0) -> Any:
        for attempt in count(1):
            call = getattr(self._connection().stub, method)
            try:
                return call(request, timeout=deadline.seconds_left(), metadata=self._metadata)
            except grpc.RpcError as error:
                time.sleep(wait_after(error, attempt, deadline, self._retries, offset))
        raise AssertionError("unreachable")

    def _known_limits(self, deadline: Deadline) -> Capabilities:
        return self._limits or self.capabilities(timeout_seconds=deadline.seconds_left())

    def _deadline(self, seconds: float | None) -> Deadline:
        return Deadline(self._timeout_seconds if seconds is None else seconds)

    def _connection(self) -> "_Connection":
        process = note_connection()
        known = self._connections.get(process)
        if known is not None:
            return known
        made = _Connection(self._address, self._credentials)
        kept = self._connections.setdefault(process, made)  # of threads that come here at once, one wins
        if kept is not made:
            made.channel.close()
        return kept


class _Connection:
    """One process's channel, and the stub on it."""

    def __init__(self, address: str, credentials: grpc.ChannelCredentials | None) -> None:
        if credentials is None:
            self.channel = grpc.insecure_channel(address, OPTIONS)
        else:
            self.channel = grpc.secure_channel(address, credentials, OPTIONS)
        self.stub = reward_service_pb2_grpc.RewardServiceStub(self.channel)  # type: ignore[no-untyped-call] # generated
