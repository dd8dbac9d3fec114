"""A run's report: one page and one picture, made of what the run wrote down. It loads nothing from anywhere.

What models wrote is shown as text, never as markup.
"""

import base64
import html
import io
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeAlias

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from trainer_client.training.checkpoint import write_atomically
from trainer_client.training.run_log import EVALUATIONS, METRICS, RUN, SAMPLES, read_lines

Row: TypeAlias = dict[str, Any]
_SAMPLES_SHOWN = 12
_LINES_SHOWN = 8
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .7em;border-bottom:1px solid #ddd;text-align:left;
vertical-align:top}pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;font-size:12px;max-width:30em}img{max-width:100%}
.low{color:#a33}.high{color:#262}details{margin:1em 0}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One diagram: metrics by name, or by the beginning of their names."""

    title: str
    names: tuple[str, ...] = ()
    prefix: str = ""
    share: bool = False
    """Whether the values are shares, so that the axis is 0 to 1."""


PANELS = (
    Panel(title="reward", names=("reward/mean",), prefix="reward/source/"),
    Panel(title="checks: mean score", prefix="check/", share=True),
    Panel(
        title="shares: masked, cut, groups without spread, flags",
        names=("masked/share", "length/truncated", "groups/without_spread", "flags/share"),
        share=True,
    ),
    Panel(title="rulings", prefix="ruling/", share=True),
    Panel(title="entropy and KL", names=("update/entropy", "update/kl", "update/kl_old", "update/kl_rollout")),
    Panel(title="share of tokens clipped", names=("update/clip_low", "update/clip_high", "update/rollout_corrected")),
    Panel(title="loss and gradient norm", names=("update/loss", "update/grad_norm")),
    Panel(title="tokens of a response", names=("length/mean", "length/max")),
    Panel(
        title="seconds",
        names=("time/step", "time/generate", "time/update", "time/sync", "time/reward_wait", "time/idle"),
    ),
)


def write_report(directory: Path) -> Path:
    """Write report.html and report.png; return the page. Raises FileNotFoundError where there is no run."""
    run = json.loads((directory / RUN).read_text("utf-8"))
    metrics = list(read_lines(directory / METRICS))
    evaluations = list(read_lines(directory / EVALUATIONS))
    samples = list(read_lines(directory / SAMPLES))
    picture = draw(run["config"]["name"], metrics, evaluations)
    (directory / "report.png").write_bytes(picture)
    page = directory / "report.html"
    write_atomically(page, _page(run, metrics, evaluations, samples, picture))
    return page


def draw(title: str, metrics: Sequence[Row], evaluations: Sequence[Row]) -> bytes:
    """Return the curves as a PNG. Panels without data are left out."""
    panels = [panel for panel in PANELS if _names(panel, metrics)]
    first = 1 if evaluations else 0
    rows = max(1, -(-(first + len(panels)) // 2))
    figure = Figure(figsize=(12, 3.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = [figure.add_subplot(rows, 2, place + 1) for place in range(first + len(panels))]
    if evaluations:
        _draw_evaluations(axes[0], evaluations)
    for axis, panel in zip(axes[first:], panels, strict=True):
        _draw_panel(axis, panel, metrics)
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=110)
    return written.getvalue()


def _draw_evaluations(axis: Axes, evaluations: Sequence[Row]) -> None:
    by_set: dict[str, list[Row]] = defaultdict(list)
    for row in evaluations:
        by_set[row["name"]].append(row)
    for name, rows in by_set.items():
        steps = [row["step"] for row in rows]
        found = [row["pass_at"]["1"] for row in rows]
        (line,) = axis.plot(steps, [each["mean"] for each in found], marker="o", label=name)
        low, high = [each["low"] for each in found], [each["high"] for each in found]
        axis.fill_between(steps, low, high, alpha=0.15, color=line.get_color())
    _finish(axis, "pass@1 on evaluation sets, with 95 % intervals", share=True)


def _draw_panel(axis: Axes, panel: Panel, metrics: Sequence[Row]) -> None:
    for name in _names(panel, metrics):
        points = [(row["step"], row[name]) for row in metrics if name in row]
        label = name.removeprefix(panel.prefix) if panel.prefix else name.removeprefix("update/")
        axis.plot(*zip(*points, strict=True), label=label, linewidth=1.2)
    _finish(axis, panel.title, share=panel.share)


def _finish(axis: Axes, title: str, *, share: bool) -> None:
    axis.set_title(title, fontsize=10)
    axis.grid(alpha=0.3)
    axis.tick_params(labelsize=8)
    if share:
        axis.set_ylim(-0.02, 1.02)
    for text in axis.legend(fontsize=7).get_texts():
        text.set_parse_math(False)


def _names(panel: Panel, metrics: Sequence[Row]) -> list[str]:
    """Return which metrics the panel shows: those named, and of those that begin so the most frequent of each kind."""
    counts: dict[str, int] = defaultdict(int)
    for row in metrics:
        for name in row:
            counts[name] += 1
    begun = [name for name in counts if panel.prefix and name.startswith(panel.prefix)]
    kinds: dict[str, list[str]] = defaultdict(list)
    for name in sorted(begun, key=lambda name: -counts[name]):
        kinds[name.split("/")[1] if panel.prefix == "check/" else ""].append(name)
    often = [name for turn in zip_longest(*kinds.values()) for name in turn if name is not None]
    return [name for name in panel.names if name in counts] + often[:_LINES_SHOWN]


def _page(run: Row, metrics: Sequence[Row], evaluations: Sequence[Row], samples: Sequence[Row], picture: bytes) -> str:
    name = html.escape(run["config"]["name"])
    model = html.escape(run["config"]["model"]["name"])
    image = base64.b64encode(picture).decode()
    steps = f"{metrics[-1]['step']} of {run['config']['steps']} steps" if metrics else "no step yet"
    config = html.escape(json.dumps(run["config"], indent=1))
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{name}</title><style>{_STYLE}</style>",
        f"<h1>{name}</h1><p>Run {html.escape(run['run_id'])} of {model}: {steps}.</p>",
        _evaluation_table(evaluations),
        f"<img alt='curves' src='data:image/png;base64,{image}'>",
        _sample_table(samples),
        f"<details><summary>Configuration</summary><pre>{config}</pre></details></html>",
    ]
    return "\n".join(parts)


def _evaluation_table(evaluations: Sequence[Row]) -> str:
    if not evaluations:
        return ""
    first, last = ({row["name"]: row for row in evaluations if row["step"] == step} for step in _ends(evaluations))
    lines = []
    for name, now in last.items():
        before = first.get(name, now)
        gained = now["pass_at"]["1"]["mean"] - before["pass_at"]["1"]["mean"]
        kind = "general" if now["general"] else "held out"
        color = "high" if gained > 0 else "low" if gained < 0 else ""
        cells = [name, kind, str(now["pass_at"]["1"]["tasks"]), _interval(before), _interval(now)]
        row = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        lines.append(f"<tr>{row}<td class='{color}'>{gained:+.3f}</td><td>{now['masked']:.1%}</td></tr>")
    begin, end = _ends(evaluations)
    return (
        f"<h2>pass@1 before and after</h2><table><tr><th>set<th>kind<th>tasks<th>step {begin}<th>step {end}<th>change"
        f"<th>masked</tr>{''.join(lines)}</table><p>In brackets: 95 % intervals over tasks.</p>"
    )


def _ends(evaluations: Sequence[Row]) -> tuple[int, int]:
    steps = [row["step"] for row in evaluations]
    return min(steps), max(steps)


def _interval(row: Row) -> str:
    found = row["pass_at"]["1"]
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _sample_table(samples: Sequence[Row]) -> str:
    if not samples:
        return ""
    columns: dict[str, Callable[[Row], str]] = {
        "step": lambda row: str(row["step"]),
        "task": lambda row: row["task"],
        "prompt": lambda row: row["prompt"],
        "response": lambda row: row["response"],
        "reward": lambda row: "masked" if row["reward"] is None else f"{row['reward']:.3g}",
        "why": lambda row: f"{row.get('ruling', row['masked'])}: {row.get('why', '')} {' '.join(row.get('flags', []))}",
    }
    stride = max(1, len(samples) // _SAMPLES_SHOWN)
    shown = samples[::-stride][:_SAMPLES_SHOWN]
    head = "".join(f"<th>{name}" for name in columns)
    rows = ("".join(f"<td><pre>{html.escape(cell(row))}</pre></td>" for cell in columns.values()) for row in shown)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<h2>Some responses, newest first</h2><table><tr>{head}</tr>{body}</table>"
