"""Tables and a plot of `workloads.py compare --json` for docs/benchmarks.md.

    python benchmarks/report.py figures.json [--plot docs/benchmarks.svg]

Prints Markdown: each figure in milliseconds (`cold_s` in seconds, `peak_mb` in MB) and how many
times the fastest peer takes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def rows_of(figures: dict[str, dict[str, Any]]) -> list[tuple[str, str, list[Any], float | None]]:
    """Workload, figure, the values of all, and the fastest peer's over the first one's."""
    rows = []
    for key, cells in figures.items():
        workload, figure = key.split("/")
        values = list(cells.values())
        numbers = [v for v in values[1:] if isinstance(v, float)]
        known = isinstance(values[0], float) and values[0] > 0 and numbers
        rows.append((workload, figure, values, min(numbers) / values[0] if known else None))
    return rows


def table(figures: dict[str, dict[str, Any]]) -> str:
    labels = max((list(cells) for cells in figures.values()), key=len)
    lines = [
        f"| workload | figure | {' | '.join(labels)} | fastest peer / ours |",
        "|" + "---|" * (len(labels) + 3),
    ]
    for workload, figure, values, ratio in rows_of(figures):
        shown = [f"{v:.3g}" if isinstance(v, float) else str(v)[:40] for v in values]
        shown += [""] * (len(labels) - len(shown))
        times = "" if ratio is None else f"{ratio:.1f} x"
        lines.append(f"| {workload} | {figure} | {' | '.join(shown)} | {times} |")
    return "\n".join(lines)


def plot(figures: dict[str, dict[str, Any]], path: str) -> None:
    """The ratios of the step times as bars."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = [
        (f"{workload} {figure.removesuffix('_ms')}", ratio)
        for workload, figure, _, ratio in rows_of(figures)
        if ratio is not None and figure.endswith("_ms")
    ]
    names, ratios = zip(*reversed(found), strict=True)
    chart, axes = pyplot.subplots(figsize=(7, 0.4 * len(names) + 1))
    axes.barh(names, ratios)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("fastest Keras backend / kerasish (above 1: kerasish is faster)")
    for place, ratio in enumerate(ratios):
        axes.text(ratio, place, f" {ratio:.1f}", va="center")
    chart.tight_layout()
    chart.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures")
    parser.add_argument("--plot", default="")
    args = parser.parse_args()
    figures = json.loads(Path(args.figures).read_text())
    print(table(figures))
    if args.plot:
        plot(figures, args.plot)


if __name__ == "__main__":
    main()
