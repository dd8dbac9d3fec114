"""Entry point of the `trainer-client` program: train, sft, eval, report, export. It needs the extra `train`."""

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar

if find_spec("typer") is None or find_spec("torch") is None:
    sys.exit("trainer-client needs the trainer's packages: pip install 'reward-server[train]'; for vLLM also [vllm]")

import typer

from trainer_client.training.quiet import before_torch

if TYPE_CHECKING:
    from trainer_client.training.config import Config
    from trainer_client.training.screen import Screen

T = TypeVar("T")
Dtype: TypeAlias = Literal["auto", "bfloat16", "float32"]
app = typer.Typer(
    help="Trains language models by reinforcement, with rewards from a reward server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_TROUBLE = 2
_STOPPED = 1
_INTERRUPTED = 130

ConfigFile = Annotated[Path, typer.Argument(help="A TOML file; see docs/training.md.", show_default=False)]
Changes = Annotated[
    list[str] | None, typer.Option("--set", help="Change a key: --set optimizer.learning_rate=1e-5; repeatable.")
]


@app.command()
def train(config: ConfigFile, change: Changes = None) -> None:
    """Train by GRPO; a run that has a checkpoint goes on from it. Exit status 1: stopped before the last step."""

    def work(settings: "Config", screen: "Screen") -> None:
        from trainer_client.training.report import write_report
        from trainer_client.training.train import train as run_training

        folder = run_training(settings, screen)
        screen.say(f"The model is in {folder}")
        screen.say(f"The report is {write_report(Path(settings.output.directory))}")

    _run(config, change, work)


@app.command()
def sft(config: ConfigFile, change: Changes = None) -> None:
    """Warm a model up on demonstrations: the samples in task records."""

    def work(settings: "Config", screen: "Screen") -> None:
        from trainer_client.training.sft import sft as warm_up

        warm_up(settings, screen)

    _run(config, change, work)


@app.command(name="eval")
def evaluate(
    config: ConfigFile,
    change: Changes = None,
    out: Annotated[Path | None, typer.Option(help="Where the reports go, as JSON.")] = None,
) -> None:
    """Measure a model on the evaluation sets: `--set model.name=run/model` for a trained one."""

    def work(settings: "Config", screen: "Screen") -> None:
        from trainer_client.training.evaluation_run import run_evaluation

        run_evaluation(settings, screen, out)

    _run(config, change, work)


@app.command()
def report(
    directory: Annotated[Path, typer.Argument(help="The folder of a run.", show_default=False)],
) -> None:
    """Write report.html and report.png anew from what a run has written so far."""
    from trainer_client.training.report import write_report

    try:
        typer.echo(write_report(directory))
    except FileNotFoundError as error:
        _fail(f"{error.filename}: there is no run here")


@app.command()
def export(
    run: Annotated[
        Path, typer.Argument(help="The folder of a run, or of its warm start: RUN/sft.", show_default=False)
    ],
    *,
    output: Annotated[Path, typer.Option(help="A new folder for the model.", show_default=False)],
    best: Annotated[bool, typer.Option("--best", help="The best by evaluation: the default, if there is one.")] = False,
    step: Annotated[int | None, typer.Option(help="The checkpoint of this step instead.", show_default=False)] = None,
    merge: Annotated[bool, typer.Option("--merge", help="Add a LoRA or QLoRA adapter to its base.")] = False,
    dtype: Annotated[Dtype, typer.Option(help="Of the weights; auto: 16 bits, unless the base has 32.")] = "auto",
) -> None:
    """Write a checkpoint as a model folder for `vllm serve` and transformers: whole, or the adapter alone."""
    before_torch()
    from trainer_client.training.checkpoint import CheckpointError
    from trainer_client.training.config import ConfigError
    from trainer_client.training.export import ExportError
    from trainer_client.training.export import export as write_model
    from trainer_client.training.session import quiet_libraries

    quiet_libraries()
    if best and step is not None:
        _fail("--best and --step: one of them")
    try:
        made = write_model(run, output, step=step, best=best, merge=merge, dtype=dtype)
    except (ExportError, CheckpointError, ConfigError) as error:
        _fail(str(error))
    typer.echo(f"step {made.step} ({made.why}) is in {output}: {made.content}")


def _run(path: Path, changes: list[str] | None, work: Callable[[Any, Any], None]) -> None:
    before_torch()
    from trainer_client.errors import RewardError
    from trainer_client.training.checkpoint import CheckpointError
    from trainer_client.training.config import ConfigError, load
    from trainer_client.training.rollout import RolloutError
    from trainer_client.training.scoring import OutageError
    from trainer_client.training.screen import Screen
    from trainer_client.training.session import quiet_libraries
    from trainer_client.training.tasks import TaskFileError
    from trainer_client.training.train import StoppedError

    quiet_libraries()
    try:
        settings = load(path, changes or ())
        with Screen(quiet=os.environ.get("RANK", "0") != "0") as screen:
            work(settings, screen)
    except (ConfigError, TaskFileError, RolloutError, RewardError, CheckpointError, OSError) as error:
        _fail(str(error))
    except (StoppedError, OutageError) as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(_STOPPED) from None
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None


def _fail(message: str) -> None:
    typer.secho(message, fg="red", err=True)
    raise typer.Exit(_TROUBLE)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
