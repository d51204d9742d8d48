"""Hand-made scores, and the same table in every kind."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

KINDS = ("pandas", "polars", "polars-lazy", "pyarrow", "duckdb")


def scores(rows: list[dict[str, Any]], cut: float = 0.8) -> pd.DataFrame:
    """A scores table: what a row leaves out has a harmless value; ``x`` is None for a contact without a purchase.

    The cut of high value and the median gap are those of a model that was fitted on these very rows.
    """
    table = []
    for number, row in enumerate(rows):
        x, r = row.get("x", 0), row.get("r", 1.0)
        filled = {
            "customer_id": row.get("id", number),
            "frequency": x,
            "days_silent": row.get("silent", 10.0),
            "mean_gap_days": row.get("gap", 20.0) if x else None,
            "p_alive": row.get("alive", 0.5),
            "expected_spend": row.get("spend", 1.0),
            "ltv": row.get("ltv", 10.0),
            "p_window_fresh": row.get("fresh", 0.8),
            "p_window": row.get("now", 0.8 * (r or 0.0)),
            "activity_ratio": r,
            "value_lost": row.get("lost", 1.0),
            "stage_window_days": 78.0,
        }
        if x is None:
            filled.update(dict.fromkeys([name for name in filled if name != "customer_id"]))
        table.append(filled)
    frame = pd.DataFrame(table)
    numbers = [name for name in frame.columns if name != "customer_id"]
    frame[numbers] = frame[numbers].astype(float)
    bought = frame["frequency"].notna()
    frame[["high_value_cut", "median_gap_days"]] = np.nan
    if bought.any():
        value = (frame["frequency"] + 1) * frame["expected_spend"]
        frame.loc[bought, "high_value_cut"] = np.quantile(value[bought], cut)
        frame.loc[bought, "median_gap_days"] = frame.loc[
            frame["frequency"] > 0, "mean_gap_days"
        ].median()
    if bought.all():
        frame["frequency"] = frame["frequency"].astype("int64")
    return frame


def random_scores(seed: int, size: int = 400, prospects: int = 0) -> pd.DataFrame:
    """Scores that hit the cuts of the rules exactly about half of the time."""
    rng = np.random.default_rng(seed)
    cuts = np.array([0.2, 0.45, 0.7, 1.0])
    r = np.where(rng.random(size) < 0.3, rng.choice(cuts, size), rng.uniform(0.001, 1, size))
    rows = [
        {
            "id": f"c{number:04d}",
            "x": int(rng.integers(0, 6)),
            "r": float(r[number]),
            "silent": float(rng.choice([0, 1, 3, 7, 20, 40, 60, 90])),
            "gap": float(rng.choice([1, 1.5, 2, 20, 33.3])),
            "alive": float(rng.choice([0.0, 0.099, 0.1, 0.5, 1.0])),
            "spend": float(rng.choice([5, 10, 20, 41.7, 80])),
            "ltv": float(rng.choice([0, 1, 5, 5, 60]) * rng.random()),
            "fresh": float(rng.random()),
            "now": float(rng.random()),
            "lost": float(rng.choice([0, 3, 3, 9])),
        }
        for number in range(size)
    ]
    rows += [{"id": f"p{number}", "x": None, "r": None} for number in range(prospects)]
    return scores(rows)


def as_kind(table: pd.DataFrame, kind: str) -> Any:
    if kind == "pandas":
        return table.copy()
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    if kind == "pyarrow":
        return arrow
    if kind == "duckdb":
        return duckdb.from_arrow(arrow)
    frame = pl.from_arrow(arrow)
    assert isinstance(frame, pl.DataFrame)
    return frame.lazy() if kind == "polars-lazy" else frame


def to_pandas(table: Any) -> pd.DataFrame:
    """Any kind as plain pandas, with None for what is null in text columns."""
    if isinstance(table, pl.LazyFrame):
        table = table.collect()
    if isinstance(table, duckdb.DuckDBPyRelation):
        table = table.to_arrow_table()
    if isinstance(table, pl.DataFrame):
        table = table.to_arrow()
    return table.to_pandas() if isinstance(table, pa.Table) else table
