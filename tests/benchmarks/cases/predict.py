"""Scores of every customer, all columns, beside lifetimes that computes only P(alive) and expected purchases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tests.benchmarks.environments import LIFETIMES
from tests.benchmarks.harness import Bench, alternate
from tests.benchmarks.results import Check, Row
from tests.benchmarks.simulate import write_customers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = (100_000, 1_000_000)
TARGET, TARGET_FROM = 3.0, 1_000_000


def run(bench: Bench) -> Iterator[Row]:
    for number, size in enumerate(bench.sizes_or(SIZES)):
        data = write_customers(bench.data / f"customers-{size}.parquet", size)
        tables = [data.with_name(f"scores-{who}-{size}.parquet") for who in ("ours", "lifetimes")]
        task = {"data": data, "method": "mle", "out": tables[0]}
        first = bench.first("predict", loaded=False, **task) if number == 0 else None
        before = bench.ours("predict", **task)()
        if before.missing or before.stopped:
            yield Row("predict", "all columns, one draw", size, before)
            continue
        given = {"data": data, "params": before.result["params"], "out": tables[1]}
        peers = [bench.peer(name, "predict", **given) for name in bench.asked(LIFETIMES)]
        one, *theirs = alternate(bench, bench.ours("predict", **task), *peers)
        one = replace(one, first_seconds=first)
        row = Row(
            "predict",
            "all columns, one draw; peer two columns",
            size,
            one,
            *theirs,
            peer_series="two columns",
        )
        if row.ratio is not None:
            speed = Check("ratio", row.ratio, TARGET if size >= TARGET_FROM else None, least=True)
            row = replace(row, checks=(speed, *compare(*tables)))
        yield row
        many = bench.ours("predict", data=data, method="laplace", draws=200)()
        yield Row("predict", "all columns, 200 draws", size, many, series="lifestage, 200 draws")


def compare(ours: Path, theirs: Path) -> Iterator[Check]:
    """The largest differences, and how many values of the peer are no numbers."""
    one, other = pd.read_parquet(ours), pd.read_parquet(theirs)
    for column in ("p_alive", "expected_purchases"):
        a, b = (np.asarray(table[column], float) for table in (one, other))
        there = np.isfinite(b)
        yield Check(f"{column} differs by", float(np.abs(a - b)[there].max()), 1e-6)
        if not there.all():
            yield Check(f"{column} of the peer is no number", float((~there).sum()))
