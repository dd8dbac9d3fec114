"""`reward-server capabilities`: what a running server says of itself."""

import grpc
from google.protobuf import json_format
from reward.v1 import reward_service_pb2, reward_service_pb2_grpc

_PATIENCE_SECONDS = 10.0


def show(address: str, token: str) -> str | None:
    """Print the capabilities of the server at ``address`` as JSON; return what went wrong, if anything."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    with grpc.insecure_channel(address) as channel:
        stub = reward_service_pb2_grpc.RewardServiceStub(channel)  # type: ignore[no-untyped-call] # generated
        try:
            answer = stub.GetCapabilities(
                reward_service_pb2.GetCapabilitiesRequest(), timeout=_PATIENCE_SECONDS, metadata=metadata
            )
        except grpc.RpcError as error:
            return f"{address}: {error.code().name}: {error.details()}"
    print(json_format.MessageToJson(answer))  # noqa: T201 - the command's output
    return None
