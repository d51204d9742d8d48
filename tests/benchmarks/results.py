"""Rows of results: what was compared, by how much, and whether it agrees; as JSON and as a Markdown table."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.harness import Run


@dataclass(frozen=True)
class Check:
    """A number that must not be above (or, with *least*, below) a limit; without a limit it is only told."""

    name: str
    value: float
    limit: float | None = None
    least: bool = False

    @property
    def ok(self) -> bool:
        if self.limit is None:
            return True
        return bool(self.value >= self.limit if self.least else self.value <= self.limit)

    def __str__(self) -> str:
        if self.limit is None:
            return f"{self.name} {self.value:.3g}"
        sign = "≥" if self.least else "≤"
        return f"{self.name} {self.value:.3g} {sign} {self.limit:g} {'✓' if self.ok else '✗'}"


@dataclass(frozen=True)
class Row:
    """One line of the table: our run beside a peer's (or alone) at one size.

    Attributes
    ----------
    task : str
        What both did, in words.
    series : str
        Name of our line in the plot of growth; the peer's is its name and ``peer_series``.
    details : list of dict
        A table of its own, printed below.
    """

    case: str
    task: str
    size: int
    ours: Run
    peer: Run | None = None
    checks: tuple[Check, ...] = ()
    series: str = "lifestage"
    peer_series: str = ""
    details: tuple[dict[str, Any], ...] = field(default=())

    @property
    def ratio(self) -> float | None:
        """Seconds of the peer over ours; a lower bound where the peer was stopped."""
        if self.peer is None or self.peer.missing or self.ours.missing or self.ours.stopped:
            return None
        return self.peer.seconds / self.ours.seconds

    def record(self) -> dict[str, Any]:
        checks = [{**asdict(check), "ok": check.ok} for check in self.checks]
        return {**asdict(self), "ratio": self.ratio, "checks": checks}


def write(out: Path, rows: list[Row], machine: dict[str, Any]) -> None:
    """Write results.json and results.md, each whole."""
    out.mkdir(parents=True, exist_ok=True)
    found = _plain({"machine": machine, "rows": [row.record() for row in rows]})
    text = json.dumps(found, indent=1, ensure_ascii=False, default=str, allow_nan=False)
    for name, content in {"results.json": text, "results.md": markdown(rows, machine)}.items():
        staging = out / f".{name}.part"
        staging.write_text(content, "utf-8")
        os.replace(staging, out / name)


def _plain(value: Any) -> Any:
    """The same with None for numbers that are none, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def markdown(rows: list[Row], machine: dict[str, Any]) -> str:
    """The table, and the tables below it."""
    return "\n".join([*_head(machine), *_table(rows), *_details(rows), ""])


def _head(machine: dict[str, Any]) -> list[str]:
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return [
        "# Benchmarks",
        "",
        f"{machine['cores']} cores, {machine['memory_gb']} GB, Python {machine['python']}; {packages}.",
        *[
            f"{peer}: {', '.join(f'{k} {v}' for k, v in found.items())}."
            for peer, found in machine["peers"].items()
        ],
        "",
        "Each run is a process of its own; seconds are of the call, without imports and loading, medians of repeats in "
        "turn. *first* is our very first call with nothing compiled on disk, *again* a second call in the same process. MB are the peak of the process (with what "
        "it started) and, for ours, in brackets what came on top of imports and data. Sizes are customers, order lines for corridor.",
        "",
    ]


def _table(rows: list[Row]) -> Iterator[str]:
    yield "| case | size | ours, s | first, s | again, s | ours, MB | peer | peer, s | peer, MB | ratio | checks |"
    yield "|---|--:|--:|--:|--:|--:|---|--:|--:|--:|---|"
    for row in rows:
        line = [
            f"{row.case}: {row.task}",
            f"{row.size:,}",
            *_our_cells(row.ours),
            *_peer_cells(row, row.peer),
        ]
        yield "| " + " | ".join([*line, "; ".join(map(str, row.checks))]) + " |"


def _our_cells(ours: Run) -> list[str]:
    once = [
        "" if seconds is None else _seconds(seconds)
        for seconds in (ours.first_seconds, ours.again_seconds)
    ]
    memory = f"{ours.peak_mb:,.0f}" + (
        "" if ours.stopped else f" (+{ours.peak_mb - ours.before_mb:,.0f})"
    )
    return [_cell(ours), *once, "" if ours.missing else memory]


def _peer_cells(row: Row, peer: Run | None) -> list[str]:
    if peer is None:
        return ["", "", "", ""]
    ratio = "" if row.ratio is None else f"{'> ' if peer.stopped else ''}{row.ratio:,.3g}×"
    return [peer.name, _cell(peer), "" if peer.missing else f"{peer.peak_mb:,.0f}", ratio]


def _cell(run: Run) -> str:
    """Seconds, or why there are none."""
    if run.missing:
        return run.missing.replace("|", "/")
    return (
        f"> {run.seconds:,.0f} (stopped; {run.result['progress']})"
        if run.stopped
        else _seconds(run.seconds)
    )


def _details(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if row.details:
            yield from ("", f"**{row.case}: {row.task}**", "")
            yield "| " + " | ".join(row.details[0]) + " |"
            yield "|---" * len(row.details[0]) + "|"
            for each in row.details:
                yield (
                    "| "
                    + " | ".join(
                        f"{v:.4g}" if isinstance(v, float) else str(v) for v in each.values()
                    )
                    + " |"
                )


def _seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
