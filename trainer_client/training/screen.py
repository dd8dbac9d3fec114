"""What a person sees in the terminal: a line that moves, what is worth saying, and tables of evaluations."""

import logging
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from trainer_client.training.evaluation import Estimate, SetReport

_SHOWN = {
    "reward/mean": "reward",
    "update/loss": "loss",
    "update/entropy": "entropy",
    "update/kl": "KL",
    "length/mean": "tokens",
    "groups/without_spread": "no spread",
    "masked/share": "masked",
}
_WIDTH_OF_A_FILE = 160
_WIDE = 120
_BESIDE_BAR_AND_VALUES = 42
"""Characters of the moving line for what is being done, how far, and for how long."""


class Screen:
    """The terminal of one program; on other processes than the first, and where nobody looks, nearly silent."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet)
        if not self.console.is_terminal:
            self.console.width = _WIDTH_OF_A_FILE
        self._bar_width = 24 if self.console.width >= _WIDE else 8
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=self._bar_width),
            MofNCompleteColumn(),
            TextColumn("{task.fields[values]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._bar = self._progress.add_task("starting", total=None, values="")

    def __enter__(self) -> Self:
        self._progress.start()
        handler = RichHandler(console=self.console, show_path=False, show_time=False)
        logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler], force=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Say what happens."""
        self.console.print(Text(f"{time.strftime('%H:%M:%S')} {text}"))

    def warn(self, text: str) -> None:
        """Say what should be looked at."""
        self.console.print(Text(f"{time.strftime('%H:%M:%S')} ⚠ {text}", "yellow"))

    def phase(self, name: str, step: int, total: int) -> None:
        """Show what is being done."""
        self._progress.update(self._bar, description=name, completed=step, total=total)

    def step(self, step: int, total: int, values: Mapping[str, float]) -> None:
        """Show how a step went."""
        shown = [f"{label} {values[name]:.3g}" for name, label in _SHOWN.items() if name in values]
        fitting = fitted(shown, self.console.width - self._bar_width - _BESIDE_BAR_AND_VALUES)
        self._progress.update(self._bar, completed=step, total=total, values=fitting)
        if not self.console.is_terminal:
            self.console.print(Text(f"{time.strftime('%H:%M:%S')} step {step}/{total}  {'  '.join(shown)}"))

    def evaluation(self, title: str, reports: Sequence[SetReport]) -> None:
        """Show what an evaluation found."""
        if not reports:
            return
        table = Table(title=title, title_justify="left")
        table.add_column("set", overflow="fold")
        for column in ("tasks", *(f"pass@{k}" for k in reports[0].pass_at), "score", "tokens", "cut", "masked"):
            table.add_column(column)
        for each in reports:
            table.add_row(
                Text(each.name + (" (general)" if each.general else "")),
                str(each.pass_1.tasks),
                *(_interval(found) for found in each.pass_at.values()),
                f"{each.score.mean:.3f}",
                f"{each.length:.0f}",
                f"{each.truncated:.0%}",
                f"{each.masked:.0%}",
            )
        self.console.print(table)


def fitted(texts: Sequence[str], width: int) -> str:
    """Return the first of ``texts`` that fit on a line of ``width`` characters, whole."""
    line = ""
    for text in texts:
        longer = f"{line}  {text}" if line else text
        if len(longer) > width:
            break
        line = longer
    return line


def _interval(found: Estimate) -> str:
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]" if found.tasks else "none"
