"""What can go wrong with a sandbox itself; never what a job does, which is an `Execution`.

SandboxError
├── SandboxUnsupportedError    this host cannot give what was asked; the message says what to install or switch on
├── SandboxUnavailableError    no box can be had: no daemon, no image, closed
└── BoxDiedError               the box was lost in the middle of a job
"""


class SandboxError(Exception):
    """The sandbox's own trouble."""


class SandboxUnsupportedError(SandboxError):
    """This host cannot give the isolation that was asked for."""


class SandboxUnavailableError(SandboxError):
    """No box can be had now."""


class BoxDiedError(SandboxError):
    """The box was lost in the middle of a job."""
