"""How cost grows with the base: seconds against size, a panel a case, read from results.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TITLES = {
    "mle": "Maximum likelihood",
    "posterior-speed": "Posterior",
    "predict": "Scores of every customer",
    "corridor": "From order lines to the report",
}
OURS, PEERS = ["#0b6e4f", "#4daf7c", "#9ad1b3"], ["#c8553d", "#8d5a97", "#6b7a8f", "#d9a441"]


def curves(rows: list[dict[str, Any]]) -> dict[str, dict[str, list[tuple[int, float, bool]]]]:
    """Case → line → (size, seconds, whether it was stopped there); the lines of our side come first."""
    found: dict[str, dict[str, dict[int, tuple[float, bool]]]] = {}
    for side in ("ours", "peer"):
        for row in rows:
            run = row[side]
            if row["case"] not in TITLES or run is None or run["missing"]:
                continue
            name = (
                row["series"] if side == "ours" else f"{run['name']} {row['peer_series']}".strip()
            )
            found.setdefault(row["case"], {}).setdefault(name, {})[row["size"]] = (
                run["seconds"],
                run["stopped"],
            )
    return {
        case: {name: [(size, *at[size]) for size in sorted(at)] for name, at in lines.items()}
        for case, lines in found.items()
    }


def draw(results: Path) -> list[Path]:
    """Draw growth.svg and growth.png beside results.json, of the cases that were run at several sizes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = curves(json.loads(results.read_text("utf-8"))["rows"])
    panels = [
        case for case in TITLES if any(len(points) > 1 for points in found.get(case, {}).values())
    ]
    if not panels:
        return []
    figure = Figure(figsize=(4.6 * len(panels), 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, case in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        panel(axes, TITLES[case], found[case])
        axes.set_xlabel("order lines" if case == "corridor" else "customers")
    figure.axes[0].set_ylabel("seconds")
    paths = [results.with_name(f"growth.{kind}") for kind in ("svg", "png")]
    for path in paths:
        figure.savefig(path, dpi=150)
    return paths


def panel(axes: Any, title: str, lines: dict[str, list[tuple[int, float, bool]]]) -> None:
    """One case on logarithmic axes; a run that was stopped is an open triangle, for its cost is at least that."""
    ours, peers = iter(OURS * 2), iter(PEERS * 2)
    for name, points in lines.items():
        mine = name.startswith("lifestage")
        color = next(ours if mine else peers)
        sizes, seconds, _ = zip(*points, strict=True)
        axes.plot(sizes, seconds, color=color, linewidth=2.4 if mine else 1.6, label=name)
        for size, value, stopped in points:
            axes.plot(
                size,
                value,
                "^" if stopped else "o",
                color=color,
                markerfacecolor="white" if stopped else color,
            )
    axes.set(xscale="log", yscale="log", title=title)
    axes.margins(x=0.12, y=0.15)
    axes.grid(True, which="major", color="#dddddd", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="best")
