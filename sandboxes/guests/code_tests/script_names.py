"""What `site` gives to every script, and interpreters started without it do not have: ``exit``, ``quit``, ``help``."""

import _sitebuiltins
import builtins


def complete() -> None:
    """Let scripts end themselves by the names that they know for it."""
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D")
    builtins.help = _sitebuiltins._Helper()  # noqa: SLF001 - as `site` does
