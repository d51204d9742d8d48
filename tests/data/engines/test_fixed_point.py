"""Sums of money are the same in every run, whatever the number of threads and the order of the lines."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.data.customers.compress import mean_spend
from lifestage.data.engines.fixed_point import common_unit, in_money, in_units, units_of
from lifestage.data.engines.frames import to_pandas, wrap


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    """Many lines per customer and day, refunds among them, whose sums as doubles depend on their order."""
    rng = np.random.default_rng(0)
    n = 60_000
    day = pd.to_timedelta(rng.integers(0, 300, n), "D")
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, 40, n),
            "date": pd.Timestamp("2024-01-01") + day,
            "amount": rng.lognormal(3, 2, n) * rng.choice([1, 1, 1, -0.1], n),
            "channel": rng.choice(["shop", "web"], n),
        }
    )


def summarize(lines: pd.DataFrame, threads: int) -> ls.Summary:
    connection = duckdb.connect(config={"threads": threads})
    orders = connection.from_df(lines)
    return ls.summarize(orders, channel="channel", until="2024-08-31", period="day")


def rows(table: Any) -> pd.DataFrame:
    return to_pandas(table).sort_values("customer_id", ignore_index=True)


@pytest.fixture(scope="module")
def reference(lines: pd.DataFrame) -> ls.Summary:
    return summarize(lines, 1)


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_and_order_of_lines_change_no_digit(
    lines: pd.DataFrame, reference: ls.Summary, threads: int
) -> None:
    shuffled = lines.sample(frac=1, random_state=threads, ignore_index=True)
    customers = summarize(shuffled, threads)
    for ours, theirs in (
        (rows(customers.table), rows(reference.table)),
        (rows(customers.holdout_purchases), rows(reference.holdout_purchases)),
        (customers.calendar, reference.calendar),
        (customers.channels, reference.channels),
    ):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    counts = ls.compress(customers)
    for name, values in vars(ls.compress(reference)).items():
        np.testing.assert_array_equal(getattr(counts, name), values)
    assert mean_spend(customers, counts) == mean_spend(reference, counts)


def test_sums_are_right(lines: pd.DataFrame, reference: ls.Summary) -> None:
    lines = lines.assign(money=lines["amount"].map(Fraction))
    days = lines[lines["date"] <= "2024-08-31"].groupby(["customer_id", "date"])["money"].sum()
    exact = days[days > 0].groupby("customer_id").sum().map(float)
    table = rows(reference.table).set_index("customer_id")
    np.testing.assert_allclose(table["revenue"], exact.loc[table.index], rtol=3e-16)


@pytest.mark.parametrize("scale", [1e-280, 1e-9, 1.0, 1e12, 1e148])
def test_amounts_of_any_scale(scale: float) -> None:
    amounts = scale * np.array([0.1, 0.2, -0.3, 0.7, 1e-6])
    frame = wrap(duckdb.connect().from_df(pd.DataFrame({"x": amounts, "y": 0.0})))
    units = units_of(frame, "x", "y")
    assert units["y"] is None
    total = in_units(frame, units).select(nw.col("x").sum()).select(in_money("x", units["x"]))
    exact = float(sum(map(Fraction, amounts)))
    assert to_pandas(total)["x"].iloc[0] == pytest.approx(exact, rel=1e-15)


def test_amounts_too_far_apart_stay_doubles() -> None:
    orders = pd.DataFrame({"customer_id": [1, 2], "date": "2024-01-01", "amount": [1e60, 0.1]})
    table = ls.summarize(orders, until="2024-12-31").table
    assert table["revenue"].tolist() == [1e60, 0.1]
    assert common_unit(1e60, 0.1, 2) is None
