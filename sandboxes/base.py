"""The words every sandbox speaks: jobs in, executions out. No implementation lives here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from sandboxes.errors import SandboxError

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"
"""What JSON can say: all that enters a box or leaves it. Floats are finite; integers have at most 4,300 digits."""

KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on each run of a job: a run is one fresh process tree, a job may need several."""

    cpu_seconds: float = 10.0
    """CPU time of the tree."""
    wall_seconds: float = 30.0
    """Wall-clock time; a backstop for sleepers, so that a busy machine does not decide verdicts."""
    total_seconds: float = 60.0
    """Wall-clock time of all the job's runs together."""
    memory_bytes: int = 512 * MIB
    """Resident memory of the tree."""
    output_bytes: int = MIB
    """Standard output and standard error, each; what is over is cut."""
    processes: int = 32
    """Processes and threads alive at once."""
    file_bytes: int = 64 * MIB
    """All that lies in the run's files at once."""


class Ending(StrEnum):
    """How a run ended, as its supervisor saw it; nothing inside the run can forge it."""

    EXITED = "exited"
    """By itself; the exit status is in `exit_status`. Proves nothing."""
    KILLED = "killed"
    """By a signal that no limit explains, e.g. SIGSEGV."""
    CPU_LIMIT = "cpu_limit"
    WALL_LIMIT = "wall_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"


class AssuranceLevel(IntEnum):
    """How well untrusted code is kept apart; larger is stronger. The numbers are the wire's."""

    UNSPECIFIED = 0
    LOW = 1
    NAMESPACE = 2
    CONTAINER = 3
    VIRTUALIZED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One hermetic piece of work for a box."""

    program: str
    """What conducts it: a name in the program table of `guests/supervisor.py`, e.g. ``python_code``."""
    payload: Mapping[str, Plain]
    """What the program is given. Trusted guests get it whole; they pass on to the untrusted part what it may see."""
    limits: Limits = Limits()
    aside: object = None
    """What the grader wants to remember between planning and judging. Never leaves the host."""
    assurance_level: AssuranceLevel | None = None
    """The most that can be said of this job's isolation, however well the sandbox isolates; None where that decides."""
    company: str = ""
    """Which other jobs it may share a run with: those of the same company. Only for programs that read a response as
    data and run none of it; empty for a run of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a job took, over all its runs."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_memory_bytes: int = 0
    """The largest resident set of a single process."""
    runs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What happened in a job: facts, no judgement."""

    ending: Ending
    """How its last run ended. For programs of several runs see each run's own entry in the report."""
    report: Mapping[str, Plain]
    """The program's report; its shape is documented at the program. Empty when the run ended before it reported."""
    exit_status: int = 0
    """Of the last run: an exit code, or minus the number of the signal that killed it."""
    stderr: str = ""
    """The end of the last run's standard error, for people: untrusted text, undecodable bytes replaced."""
    flags: tuple[tuple[str, str], ...] = ()
    """Signals of misbehaviour seen from outside the run: (name in snake_case, detail)."""
    pressed: bool = False
    """Whether any of its runs met a limit on time or memory, which the same job might not meet another time."""
    usage: Usage = Usage()
    unexplained: bool = False
    """Whether some run was killed or stopped by a signal that no limit explains: its own, the kernel's or the host's.
    A sandbox tries such a job again elsewhere and returns what happens there in the end."""
    disturbed: bool = False
    """Whether one of the unexplained runs held no response, so that no response can have done it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationLayer:
    """One isolation layer, as probed from inside a box."""

    name: str
    active: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxInfo:
    """What a sandbox is and how well it isolates."""

    runtime: str
    image_digest: str = ""
    assurance_level: AssuranceLevel = AssuranceLevel.UNSPECIFIED
    layers: tuple[IsolationLayer, ...] = field(default=())


class Sandbox(Protocol):
    """A place where jobs run. Safe for concurrent use from one event loop.

    Whatever a job does is returned as an `Execution`; only the sandbox's own trouble raises `SandboxError`.
    """

    @property
    def info(self) -> SandboxInfo:
        """What this sandbox is; valid once `start` has returned."""
        ...

    @property
    def concurrency(self) -> int:
        """How many jobs run at the same time; further ones wait their turn."""
        ...

    async def start(self) -> None:
        """Warm up and probe the isolation. Raises `SandboxUnsupportedError` or `SandboxUnavailableError`."""
        ...

    async def run(self, job: Job) -> Execution:
        """Run ``job`` hermetically. Cancelling the call kills everything the job started before it returns.

        Raises `SandboxError` when the sandbox fails; a lost box is replaced and the job retried once before that.
        """
        ...

    async def run_together(self, jobs: Sequence[Job]) -> list[Execution | SandboxError]:
        """Run ``jobs``, of one program under the same limits, which all may share a run; one result each, in order.

        It is what `run` would return or raise: a job for which that cannot be vouched in a shared run gets one of its
        own, and trouble with one is nobody else's. Cancelling kills all of them.
        """
        ...

    async def close(self) -> None:
        """End every run and remove every box; idempotent."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
