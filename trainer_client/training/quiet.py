"""What keeps the libraries' own chatter off the terminal. Imported before torch and vLLM, which read it as they load.

Errors stay: what is set here are levels, and a person who has set one keeps it.
"""

import os


def before_torch() -> None:
    """Set what torch, vLLM and tokenizers read when they are imported, here and in the processes they start."""
    for name, value in {
        "TOKENIZERS_PARALLELISM": "false",
        "TORCH_CPP_LOG_LEVEL": "ERROR",  # the CPU build of vLLM tells which memory it binds, at each start
        "VLLM_LOGGING_LEVEL": "ERROR",  # its warnings are dozens at each start and weight update
    }.items():
        os.environ.setdefault(name, value)
