"""Bases of any size whose truth is that of CDNOW: day resolution, first purchases spread over 104 weeks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.simulated import BGNBD, SPEND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

DAYS = 728
UNTIL = np.datetime64("2025-12-31")
LAST_DAY = "2025-12-30"
CHUNK = 500_000
LINES_A_PURCHASE = 3.2
"""Order lines of a purchase day; with about 2.5 purchase days a customer, 8 lines a customer."""


@dataclass(frozen=True)
class Chunk:
    """Customers with the day of their first purchase, and one entry a purchase day: whose, and which day."""

    first: NDArray[np.int64]
    owner: NDArray[np.int64]
    day: NDArray[np.int64]
    mean_spend: NDArray[np.float64]


def purchase_days(n: int, rng: np.random.Generator) -> Chunk:
    """Poisson purchases in continuous time at gamma rates, a dropout coin after each repeat, cut into days."""
    first = rng.integers(0, DAYS, n)
    scale = 7.0 * BGNBD["alpha"] / rng.standard_gamma(BGNBD["r"], n).clip(1e-300)
    chance = rng.beta(BGNBD["a"], BGNBD["b"], n)
    owners, days = [np.arange(n)], [first]
    who, clock = np.arange(n), first.astype(float)
    while who.size:
        clock = clock[: who.size] + scale[who] * rng.standard_exponential(who.size)
        seen = clock < DAYS
        who, clock = who[seen], clock[seen]
        owners.append(who)
        days.append(clock.astype(np.int64))
        stays = rng.random(who.size) >= chance[who]
        who, clock = who[stays], clock[stays]
    key = np.unique(np.concatenate(owners) * DAYS + np.concatenate(days))
    return Chunk(
        first, key // DAYS, key % DAYS, SPEND["p"] * SPEND["v"] / rng.standard_gamma(SPEND["q"], n)
    )


def chunks(n: int, seed: int) -> Iterator[tuple[int, Chunk, np.random.Generator]]:
    """The base in parts of bounded memory, each with the number of customers before it."""
    rng = np.random.default_rng(seed)
    for start in range(0, n, CHUNK):
        yield start, purchase_days(min(CHUNK, n - start), rng), rng


def write_customers(path: Path, n: int, seed: int = 1) -> Path:
    """One row a customer: customer_id, frequency, recency and T in weeks, monetary_value."""
    parts = (_customers(start, part, rng) for start, part, rng in chunks(n, seed))
    return _write(path, parts)


def write_orders(path: Path, lines: int, seed: int = 1) -> Path:
    """An order log of about so many lines, in order of time as shops write them: customer_id, date, amount."""
    if path.exists():
        return path
    mixed, staging = path.with_suffix(".mixed"), path.with_suffix(".sorted")
    _write(mixed, (_orders(start, part, rng) for start, part, rng in chunks(lines // 8, seed)))
    log = duckdb.connect().read_parquet(str(mixed))
    log.order("date").write_parquet(str(staging), compression="zstd")
    mixed.unlink()
    return staging.replace(path)


def _customers(start: int, part: Chunk, rng: np.random.Generator) -> pd.DataFrame:
    n = part.first.size
    frequency = np.bincount(part.owner, minlength=n) - 1
    last = part.first.copy()
    np.maximum.at(last, part.owner, part.day)
    shape = SPEND["p"] * np.maximum(frequency, 1)
    money = np.round(part.mean_spend * rng.standard_gamma(shape) / shape, 2)
    return pd.DataFrame(
        {
            "customer_id": np.arange(start, start + n),
            "frequency": frequency,
            "recency": (last - part.first) / 7.0,
            "T": (DAYS - part.first) / 7.0,
            "monetary_value": np.where(frequency > 0, money, 0.0),
        }
    )


def _orders(start: int, part: Chunk, rng: np.random.Generator) -> pd.DataFrame:
    entry = np.repeat(
        np.arange(part.day.size), 1 + rng.poisson(LINES_A_PURCHASE - 1, part.day.size)
    )
    entry = entry[np.argsort(part.day[entry], kind="stable")]
    amount = (
        part.mean_spend[part.owner[entry]]
        / LINES_A_PURCHASE
        * rng.standard_gamma(2.0, entry.size)
        / 2.0
    )
    date = (UNTIL + (part.day[entry] - DAYS)).astype("datetime64[s]")
    return pd.DataFrame(
        {
            "customer_id": start + part.owner[entry],
            "date": date,
            "amount": np.round(amount, 2) + 0.01,
        }
    )


def _write(path: Path, parts: Iterator[pd.DataFrame]) -> Path:
    """Write tables of one shape after another into one Parquet file, whole or not at all; keep one that is there."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    writer, staging = None, path.with_suffix(".part")
    for part in parts:
        table = pa.Table.from_pandas(part, preserve_index=False)
        writer = writer or pq.ParquetWriter(staging, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    return staging.replace(path)
