"""Entry point of the `reward-server` program."""

import asyncio
import logging
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from reward_server.config import TOKEN_VARIABLE, Config, ConfigError, load
from sandboxes.errors import SandboxError

app = typer.Typer(
    help="Grades what language models write, in sandboxes.", no_args_is_help=True, pretty_exceptions_enable=False
)
_errors = Console(stderr=True)
_TROUBLE = 2

ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file; see docs/configuration.md.")]
SandboxFlag = Annotated[str | None, typer.Option("--sandbox", help="auto, docker or local.")]
BoxesFlag = Annotated[int | None, typer.Option("--boxes", help="How many samples run at once; 0: one per core.")]
ImageFlag = Annotated[str | None, typer.Option("--image", help="The image of Docker boxes.")]
RuntimeFlag = Annotated[str | None, typer.Option("--runtime", help="The OCI runtime of Docker boxes, e.g. runsc.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens.")]


@app.command()
def serve(
    config: ConfigFile = None,
    listen: Annotated[str | None, typer.Option(help="Host and port; port 0 takes a free one.")] = None,
    http: Annotated[str | None, typer.Option(help="Host and port of the HTTP gateway; none if not given.")] = None,
    sandbox: SandboxFlag = None,
    boxes: BoxesFlag = None,
    image: ImageFlag = None,
    runtime: RuntimeFlag = None,
    *,
    verbose: Verbose = False,
) -> None:
    """Serve gRPC, and HTTP if asked to, until SIGTERM or Ctrl-C; running samples are finished."""
    from reward_server.sandbox_choice import choose
    from reward_server.server import RewardServer
    from reward_server.server import serve as serve_until_told

    _log_to_stderr(verbose=verbose, usual=logging.INFO)
    settings = _load(config, listen=listen, http=http, sandbox=sandbox, boxes=boxes, image=image, runtime=runtime)

    def announce(server: RewardServer) -> None:
        if server.http_url:
            typer.echo(f"reward-server answers HTTP at {server.http_url}")
        typer.echo(f"reward-server listens on {server.address}")
        sys.stdout.flush()

    async def run() -> None:
        token = os.environ.get(TOKEN_VARIABLE, "")
        await serve_until_told(await choose(settings), settings, token, announce)

    _run(run)


@app.command()
def grade(
    file: Annotated[Path, typer.Argument(help="Task records, one JSON object a line.")],
    responses: Annotated[Path | None, typer.Option(help="Responses, one JSON object a line.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where results go, one JSON object a line.")] = None,
    runs: Annotated[int | None, typer.Option(help="How often each sample is run; 2 finds flaky tasks.")] = None,
    config: ConfigFile = None,
    sandbox: SandboxFlag = None,
    boxes: BoxesFlag = None,
    image: ImageFlag = None,
    runtime: RuntimeFlag = None,
    *,
    verbose: Verbose = False,
) -> None:
    """Grade responses without a server. Exit status 0: all graded; 1: some line or sample could not be graded."""
    from reward_server.cli.grade import run_grade

    _log_to_stderr(verbose=verbose)
    settings = _load(config, sandbox=sandbox, boxes=boxes, image=image, runtime=runtime, verdict_runs=runs)
    complete = _run(lambda: run_grade(settings, file, responses, out))
    raise typer.Exit(0 if complete else 1)


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="Rows: JSON Lines, a JSON array, or Parquet; JSON may be gzipped.")],
    source: Annotated[str, typer.Option("--from", help="The format: gsm8k, math, humaneval …; see docs/datasets.md.")],
    out: Annotated[Path | None, typer.Option(help="Where tasks go; default standard output.")] = None,
    databases: Annotated[Path | None, typer.Option(help="The folder of SQLite files of Spider and BIRD.")] = None,
    *,
    solutions: Annotated[bool, typer.Option("--solutions", help="Add the rows' own solutions as samples.")] = False,
    all_or_nothing: Annotated[bool, typer.Option("--all-or-nothing", help="Code earns with all tests only.")] = False,
) -> None:
    """Make a task file of a data set. Exit status 0: every row became a task; 1: some could not, and why is said."""
    from converters import FORMATS, Options
    from converters.files import UnreadableFileError
    from reward_server.cli.convert import run_convert

    if source not in FORMATS:
        _fail(f"--from: no format is called {source!r}, but {', '.join(FORMATS)}")
    if out and out.exists() and file.exists() and out.samefile(file):
        _fail(f"--out: {out} is the file to read")
    options = Options(databases=databases, all_or_nothing=all_or_nothing)
    try:
        with out.open("w", encoding="utf-8") if out else nullcontext(sys.stdout) as sink:
            complete = run_convert(source, file, sink, options, solutions=solutions)
    except (UnreadableFileError, OSError) as error:
        _fail(str(error))
    raise typer.Exit(0 if complete else 1)


@app.command()
def doctor(
    config: ConfigFile = None, sandbox: SandboxFlag = None, image: ImageFlag = None, runtime: RuntimeFlag = None
) -> None:
    """Show what this host gives, from live probes. Exit status 0: grading is safe here; 1: it is not."""
    from reward_server.cli.doctor import run_doctor

    settings = _load(config, sandbox=sandbox, image=image, runtime=runtime)
    safe = _run(lambda: run_doctor(settings))
    raise typer.Exit(0 if safe else 1)


@app.command()
def capabilities(
    address: Annotated[str, typer.Argument(help="Host and port of a server.")] = "127.0.0.1:50051",
) -> None:
    """Print what a running server can do, as JSON."""
    from reward_server.cli.capabilities import show

    if (problem := show(address, os.environ.get(TOKEN_VARIABLE, ""))) is not None:
        _fail(problem)


def _load(config: Path | None, **flags: Any) -> Config:
    try:
        return load(config, flags)
    except ConfigError as error:
        _fail(str(error))
        raise AssertionError("unreachable") from error


def _run(work: Any) -> Any:
    try:
        return asyncio.run(work())
    except (SandboxError, ConfigError, OSError) as error:
        _fail(str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(130) from None


def _fail(message: str) -> None:
    _errors.print(message, style="red", markup=False)
    raise typer.Exit(_TROUBLE)


def _log_to_stderr(*, verbose: bool, usual: int = logging.WARNING) -> None:
    level = logging.DEBUG if verbose else usual
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("asyncio", "docker", "urllib3", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
