"""The one place where the status of a call is chosen. What became of a sample is in its result, never here."""

from typing import NoReturn

import grpc
from grpc.aio import ServicerContext

from reward_server.scoring import QueueFullError

PUSHBACK = "grpc-retry-pushback-ms"
_DRAINING_RETRY_SECONDS = 1.0


class RequestError(Exception):
    """The request is malformed; the message begins with the field path."""


class DrainingError(Exception):
    """The server is about to stop."""


async def refuse(context: ServicerContext, error: Exception) -> NoReturn:
    """End the call with the status that ``error`` asks for; errors of no known kind are raised again."""
    match error:
        case RequestError():
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        case QueueFullError():
            pushback = ((PUSHBACK, str(round(error.retry_seconds * 1000))),)
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error), pushback)
        case DrainingError():
            pushback = ((PUSHBACK, str(round(_DRAINING_RETRY_SECONDS * 1000))),)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is draining", pushback)
    raise error
