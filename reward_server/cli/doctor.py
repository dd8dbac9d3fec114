"""`reward-server doctor`: what this host gives, from live probes."""

import os
import platform
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from reward_server.config import Config
from reward_server.sandbox_choice import choose, docker_problem
from sandboxes.base import Sandbox
from sandboxes.errors import SandboxError

_console = Console()


async def run_doctor(config: Config) -> bool:
    """Print the table for the sandbox that ``config`` means here; return whether grading in it is safe."""
    host = (
        f"Linux {platform.release()}, {os.cpu_count()} cores" if platform.system() == "Linux" else platform.platform()
    )
    _console.print(f"host: {host}, Python {platform.python_version()}")
    _console.print(f"Docker: {await docker_problem(config) or 'its daemon answers and has the image'}", markup=False)
    try:
        sandbox = await choose(replace(config, boxes=1), graders=())
        async with sandbox:
            return _report(sandbox, config)
    except SandboxError as error:
        _console.print(f"not safe: {error}", style="red", markup=False)
        return False


def _report(sandbox: Sandbox, config: Config) -> bool:
    info = sandbox.info
    table = Table("layer", "holds", "what was seen", title=f"sandbox: {info.runtime} {info.image_digest[:19]}")
    for layer in info.layers:
        table.add_row(layer.name, "[green]yes" if layer.active else "[red]no", layer.detail)
    _console.print(table)
    limits = config.default_limits
    _console.print(
        f"limits per run: {limits.cpu_seconds:g} s CPU, {limits.wall_seconds:g} s wall clock, "
        f"{limits.memory_bytes >> 20} MiB memory, {limits.processes} processes, {limits.file_bytes >> 20} MiB files"
    )
    safe = info.assurance_level >= config.minimum_level
    verdict = "safe" if safe else f"not safe: minimum_assurance is {config.minimum_level.name.lower()}"
    style = "green" if safe else "red"
    _console.print(f"assurance level: {info.assurance_level.name.lower()}; grading here is {verdict}", style=style)
    return safe
