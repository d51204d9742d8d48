"""A table that is one row a customer already."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.data.customers.compress import compress
from lifestage.data.engines import frames as engine
from lifestage.data.engines.frames import to_pandas
from tests.simulated import simulate_base

GOOD = {
    "frequency": [0, 2, 1],
    "recency": [0.0, 8.0, 3.0],
    "T": [9.0, 9.0, 3.0],
    "monetary_value": [0.0, 4.5, 0.0],
}


def change(**values) -> pd.DataFrame:
    """The good table with the second row changed."""
    frame = pd.DataFrame(GOOD).astype(float)
    for name, value in values.items():
        frame.loc[1, name] = value
    return frame


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "duckdb"])
def test_every_kind_comes_back_in_its_kind(kind) -> None:
    frame = pd.DataFrame(GOOD)
    native = {
        "pandas": lambda: frame,
        "polars": lambda: pl.from_pandas(frame),
        "pyarrow": lambda: pa.Table.from_pandas(frame),
        "duckdb": lambda: duckdb.connect().from_df(frame),
    }[kind]()
    summary = ls.Summary.from_frame(native, period="week", until="2024-01-31")
    assert type(summary.table) is type(native)
    table = engine.to_pandas(summary.table)
    assert list(table.columns) == ["customer_id", "frequency", "recency", "T", "monetary_value"]
    assert table["customer_id"].tolist() == [0, 1, 2]
    for name, values in GOOD.items():
        assert table[name].tolist() == values
    assert (summary.customers, summary.repeaters, summary.orders) == (3, 2, 6)
    assert summary.until == date(2024, 1, 31)
    # mean gaps of 28, 28 and 21 days
    assert summary.stage_window == pytest.approx(np.percentile([28, 28, 21], 80))
    assert ls.compress(summary).customers == 3


def test_the_index_is_the_id_and_columns_pass() -> None:
    frame = pd.DataFrame(GOOD, index=["x", "00y", "z"]).assign(revenue=[1.0, 2.0, 3.0], p_alive=0.5)
    table = ls.Summary.from_frame(frame.drop(columns="monetary_value"), period="day").table
    assert table["customer_id"].tolist() == ["x", "00y", "z"]
    assert "monetary_value" not in table.columns
    assert table["revenue"].tolist() == [1, 2, 3]
    assert table["p_alive"].tolist() == [0.5, 0.5, 0.5]
    named = ls.Summary.from_frame(frame.assign(customer_id=[7, 8, 9]), period="day").table
    assert named["customer_id"].tolist() == [7, 8, 9]


def test_a_summary_of_orders_agrees_with_its_own_table() -> None:
    summary = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    again = ls.Summary.from_frame(summary.table, period="week", until="1997-09-30")
    pd.testing.assert_frame_equal(again.table, summary.table)
    assert (again.customers, again.repeaters) == (2357, 946)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"recency": np.nan}, "finite"),
        ({"T": np.inf}, "finite"),
        ({"monetary_value": np.nan}, "finite"),
        ({"frequency": -1}, "negative"),
        ({"recency": -1}, "negative"),
        ({"monetary_value": -0.01}, "negative"),
        ({"frequency": 1.5}, "whole"),
        ({"recency": 9.1}, "recency no greater than T"),
        ({"frequency": 0}, "recency 0 where"),
        ({"recency": 0}, "recency above 0"),
    ],
)
@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "duckdb"])
def test_rows_that_no_customer_can_have_are_named(values, words, kind) -> None:
    frame = change(**values)
    native = engine.to_kind(frame, kind) if kind != "duckdb" else duckdb.connect().from_df(frame)
    with pytest.raises(DataError, match=rf"{words}.*1 other rows.*'customer_id': 1"):
        ls.Summary.from_frame(native, period="week")


def test_missing_columns_rows_and_units() -> None:
    with pytest.raises(DataError, match=r"T is missing; got frequency, recency"):
        ls.Summary.from_frame(pd.DataFrame(GOOD)[["frequency", "recency"]], period="week")
    with pytest.raises(DataError, match="no rows"):
        ls.Summary.from_frame(pd.DataFrame(GOOD).iloc[:0], period="week")
    with pytest.raises(ConfigError, match="period"):
        ls.Summary.from_frame(pd.DataFrame(GOOD), period="weeks")


def test_rounding_of_recency_is_forgiven() -> None:
    assert ls.Summary.from_frame(change(recency=9 + 1e-12), period="week").customers == 3


@pytest.mark.parametrize("kind", ["pandas", "duckdb"])
def test_a_coarser_resolution_merges_histories_and_hardly_moves_the_fit(kind: str) -> None:
    table = simulate_base(3000, seed=8).table
    source = table if kind == "pandas" else duckdb.from_df(table)
    fine = ls.Summary.from_frame(source, period="week")
    daily = ls.Summary.from_frame(source, period="week", resolution=1)
    rows = to_pandas(daily.table)
    for name in ("recency", "T"):
        np.testing.assert_allclose(rows[name] * 7, (rows[name] * 7).round(), atol=1e-9)
        assert (
            rows[name] - to_pandas(fine.table)[name]
        ).abs().max() <= 1 / 7  # half a day, a whole one at the least
    assert (rows["recency"] > 0).eq(rows["frequency"] > 0).all()
    assert compress(daily).x.size < 0.7 * compress(fine).x.size
    exact, near = ls.fit(fine, spend=None).params, ls.fit(daily, spend=None).params
    assert ((exact["estimate"] - near["estimate"]).abs() < 0.15 * exact["sd"]).all()
    with pytest.raises(ConfigError, match="number of days above 0; got nan"):
        ls.Summary.from_frame(source, period="week", resolution=float("nan"))


def test_a_log_can_be_rounded_to_weeks() -> None:
    days = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    weeks = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week", resolution=7)
    assert compress(weeks).x.size < 0.7 * compress(days).x.size
    assert weeks.table["T"].mod(1).eq(0).all()
    assert (weeks.table["first_purchase"] == days.table["first_purchase"]).all()


UNITS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}


def on_engine(frame: pd.DataFrame, kind: str):
    """The frame as a table of another kind."""
    return duckdb.connect().from_df(frame) if kind == "duckdb" else engine.to_kind(frame, kind)


def window_by_numpy(days: pd.DataFrame) -> float:
    """The 80th percentile of the mean gaps, each as often as it was seen."""
    buyers = days[days["frequency"] > 0]
    gaps = np.repeat(buyers["recency"] / buyers["frequency"], buyers["frequency"].astype(int))
    return float(np.quantile(gaps, 0.8))


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "duckdb"])
def test_the_stage_window_counts_every_gap_in_any_unit_on_any_engine(customers, kind) -> None:
    in_days = customers.table[["frequency", "recency", "T"]].assign(
        recency=(customers.table["recency"] * 7).round(), T=(customers.table["T"] * 7).round()
    )
    assert window_by_numpy(in_days) == 65.5
    for unit, days in UNITS.items():
        frame = in_days.assign(recency=in_days["recency"] / days, T=in_days["T"] / days)
        assert ls.Summary.from_frame(on_engine(frame, kind), period=unit).stage_window == 65.5, unit


def test_the_stage_window_of_a_large_base_is_the_same_number_on_every_engine() -> None:
    rng = np.random.default_rng(11)
    span, x = rng.integers(1, 700, 60_000).astype(float), rng.integers(1, 40, 60_000)
    in_days = pd.DataFrame({"frequency": x, "recency": span, "T": 700.0})
    weeks = in_days.assign(recency=span / 7, T=100.0)
    found = {
        kind: ls.Summary.from_frame(on_engine(weeks, kind), period="week").stage_window
        for kind in ("pandas", "polars", "pyarrow", "duckdb")
    }
    assert len(set(found.values())) == 1
    assert found["pandas"] == pytest.approx(window_by_numpy(in_days), rel=1e-14)


def test_the_stage_window_of_times_that_are_no_whole_days() -> None:
    rng = np.random.default_rng(12)
    frame = pd.DataFrame(
        {"frequency": rng.integers(1, 9, 500), "recency": rng.uniform(1, 90, 500), "T": 91.0}
    )
    in_days = frame.assign(recency=frame["recency"] * 7)
    found = ls.Summary.from_frame(frame, period="week").stage_window
    assert found == pytest.approx(window_by_numpy(in_days), rel=1e-14)
