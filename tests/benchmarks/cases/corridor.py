"""From order lines to staged customers, beside the bare DuckDB query that only aggregates them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.benchmarks.harness import Bench, Run, alternate
from tests.benchmarks.results import Check, Row
from tests.benchmarks.simulate import LAST_DAY, write_orders

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (200_000, 2_000_000)
TARGET, TARGET_FROM = 1.6, 100_000_000
MEMORY_MB = 8_000.0


def run(bench: Bench) -> Iterator[Row]:
    for number, size in enumerate(bench.sizes_or(SIZES)):
        data = write_orders(bench.data / f"orders-{size}.parquet", size)
        out, bare = bench.data / "corridor", bench.data / "floor.parquet"
        first = bench.first("corridor", data=data, out=out) if number == 0 else None
        ours, floor = alternate(
            bench,
            bench.ours("corridor", data=data, out=out),
            bench.floor("aggregate", data=data, out=bare, until=LAST_DAY),
        )
        ours = replace(ours, first_seconds=first)
        row = Row(
            "corridor",
            "lifestage run",
            size,
            ours,
            floor,
            peer_series="aggregation alone",
            details=steps(ours),
        )
        if row.ratio is None:
            yield row
            continue
        same = bench.floor("compare", a=out / "customers.parquet", b=bare)().result
        checks = (
            Check("times the query", 1 / row.ratio, TARGET if size >= TARGET_FROM else None),
            Check("peak MB", ours.peak_mb, MEMORY_MB),
            Check("tables differ by", same["largest"], 1e-9),
            Check("same customers", float(same["same_customers"]), 1, least=True),
        )
        yield replace(row, checks=checks)


def steps(ours: Run) -> tuple[dict[str, str | float], ...]:
    """Seconds of each step of the last run."""
    return tuple(
        {"step": name, "seconds": seconds} for name, seconds in ours.result.get("parts", {}).items()
    )
