"""Grade the responses in this folder through a server of our own, and show what became of each.

    python examples/demo.py [--sandbox auto|docker|local] [FILE.jsonl ...]

The exit status is 0 when every response got a verdict, 1 when some did not, 2 when nothing could be graded.
"""

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from reward_server.child import ServerDiedError, child_server
from trainer_client import (
    Capabilities,
    Failure,
    Result,
    RewardClient,
    RewardError,
    Ruling,
    Sample,
    Verdict,
    read_samples,
)

HERE = Path(__file__).parent
FILES = tuple(HERE / f"{name}.jsonl" for name in ("code_tests", "sql_query", "math_answer", "json_extraction"))
BAR_CELLS = 10
COLORS = {Ruling.ACCEPTED: "green", Ruling.PARTIAL: "yellow"}
TITLES = {
    "code_tests": "code_tests · programs, run against tests",
    "sql_query": "sql_query · queries, compared by what they return",
    "math_answer": "math_answer · answers, compared as mathematics",
    "json_extraction": "json_extraction · records, compared field by field",
}
KINDS = {"right": "green", "partly": "yellow", "wrong": "red", "malformed": "magenta", "hostile": "bold red"}


def main() -> int:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sandbox", default="auto", choices=("auto", "docker", "local"))
    parser.add_argument("files", nargs="*", type=Path, default=FILES)
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    samples = [sample for file in arguments.files for sample in read_samples(file)]

    console.print("[dim]Starting a reward server with its sandbox …[/]")
    try:
        with child_server("--sandbox", arguments.sandbox) as address, RewardClient(address, run_id="demo") as client:
            introduce(console, client.capabilities(), address)
            begun = time.monotonic()
            results = grade(console, client, samples)
            seconds = time.monotonic() - begun
    except (ServerDiedError, RewardError) as error:
        console.print(str(error), style="red", markup=False)
        return 2
    show(console, results)
    return summarize(console, results, seconds)


def introduce(console: Console, server: Capabilities, address: str) -> None:
    """Say who grades."""
    layers = ", ".join(layer.name for layer in server.sandbox.layers if layer.active)
    console.print(f"[bold]reward-server {server.server_version}[/] at {address}")
    console.print(f"sandbox: [bold]{server.sandbox.runtime}[/] ({server.sandbox.assurance_level.name.lower()} level)")
    console.print(f"isolation, as probed: [dim]{layers}[/]\n")


def grade(console: Console, client: RewardClient, samples: list[Sample]) -> list[Result]:
    """Return the results of ``samples``, in their order; they arrive as they are ready."""
    stream = client.stream(samples)
    label = f"Grading {len(samples)} responses over gRPC"
    arrived = {
        result.sample_id: result for result in track(stream, label, total=len(samples), console=console, transient=True)
    }
    return [arrived[sample.sample_id] for sample in samples]


def show(console: Console, results: list[Result]) -> None:
    """Print a table for each grader."""
    by_grader: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_grader[result.provenance.grader].append(result)
    for grader, group in by_grader.items():
        table = Table(title=TITLES.get(grader, grader), title_justify="left", title_style="bold", expand=True)
        table.add_column("task", no_wrap=True)
        table.add_column("what the model wrote", ratio=3)
        table.add_column("ruling", no_wrap=True)
        table.add_column("score", no_wrap=True)
        table.add_column("why", ratio=5)
        previous = ""
        for result in group:
            task, kind, what = result.sample_id.split("/", 2)
            if previous not in ("", task):
                table.add_section()
            table.add_row("" if task == previous else task, written(kind, what), *judged(result))
            previous = task
        console.print(table)
        console.print()


def written(kind: str, what: str) -> Text:
    """Return the kind of response and what it does."""
    return Text.assemble((kind, KINDS.get(kind, "")), ": ", what)


def judged(result: Result) -> tuple[Text, Text, Text]:
    """Return ruling, score and reason; text from a sandbox is shown as it is, never as markup."""
    match result:
        case Verdict():
            color = COLORS.get(result.ruling, "red")
            flags = "".join(f"  ⚑ {flag.name}" for flag in result.flags)
            reason = Text.assemble(one_line(result.summary), (flags, "bold red"))
            return Text(result.ruling.upper(), color), bar(result.score, color), reason
        case Failure():
            return Text("FAILURE", "bold white on red"), Text("none"), Text(one_line(result.message))


def bar(score: float, color: str) -> Text:
    """Return ``score`` as a bar and a number; only a 1 is a full bar."""
    cells = min(int(score * BAR_CELLS + 0.5), BAR_CELLS - (score < 1))
    return Text.assemble(("█" * cells, color), ("░" * (BAR_CELLS - cells), "dim"), f" {score:.2f}")


def one_line(text: str, most: int = 160) -> str:
    """Return ``text`` on one line, cut to ``most`` characters, without what moves a terminal's cursor."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    words = " ".join(plain.split())
    return words if len(words) <= most else words[: most - 1] + "…"


def summarize(console: Console, results: list[Result], seconds: float) -> int:
    """Print the totals; return the exit status."""
    verdicts = [result for result in results if isinstance(result, Verdict)]
    failures = len(results) - len(verdicts)
    accepted = sum(verdict.ruling is Ruling.ACCEPTED for verdict in verdicts)
    partial = sum(verdict.ruling is Ruling.PARTIAL for verdict in verdicts)
    console.print(
        f"[bold]{len(results)} responses graded in {seconds:.1f} s:[/] [green]{accepted} accepted[/], "
        f"[yellow]{partial} partly right[/], [red]{len(verdicts) - accepted - partial} without credit[/], "
        f"{failures} failures [dim](a failure is never the model's fault and has no score)[/]"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
