"""Forks. gRPC lives in threads, which a forked child does not have: there it fails or hangs, unless told beforehand."""

import os

from trainer_client.errors import RewardError

_SWITCH = "GRPC_ENABLE_FORK_SUPPORT"
_used_by: set[int] = set()
"""The processes, this one and the ancestors it was forked from, in which a client of this package has connected."""


def note_connection() -> int:
    """Return this process's id after noting that it uses gRPC.

    Raises `RewardError` where an ancestor did before the fork: with a reason, in place of gRPC's hang.
    """
    me = os.getpid()
    if not _used_by <= {me} and os.environ.get(_SWITCH, "").lower() not in ("1", "true", "yes"):
        raise RewardError(
            "this process was forked from one that had already called a reward server, and gRPC does not survive that: "
            f"start it with the `spawn` method, make the first call after the fork, or set {_SWITCH}=1 beforehand"
        )
    _used_by.add(me)
    return me
