"""Regularity against simulated gaps of a known shape; the touch schedule against another estimator."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import Regularity, purchase_windows, regularity, repurchase_curve
from lifestage.lifecycle.metrics.regularity import _regular_waits


def erlang_log(k: float, customers: int = 1500, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    mean = rng.gamma(4.0, 12.0, customers)
    rows = []
    for i in range(customers):
        times = np.cumsum(rng.gamma(k, mean[i] / k, 60))
        days = np.unique(np.concatenate([[0], np.floor(times[times < 720])]))
        rows.append(
            pd.DataFrame(
                {"customer_id": i, "date": pd.Timestamp("2023-01-01") + pd.to_timedelta(days, "D")}
            )
        )
    return pd.concat(rows).assign(amount=10.0)


@pytest.mark.parametrize("k", [1.0, 2.0, 4.0])
def test_the_shape_of_the_gaps_is_found(k: float) -> None:
    found = regularity(ls.summarize(erlang_log(k)), level=0.99)
    assert found.low < found.k < found.high
    assert found.k == pytest.approx(k, rel=0.08)
    assert found.regular == (k > 1.5)


def test_too_few_customers_are_refused(customers: ls.Summary) -> None:
    few = ls.summarize(erlang_log(1.0, customers=20))
    with pytest.raises(DataError, match="30 or more customers who bought three times"):
        regularity(few)
    with pytest.raises(DataError, match="made from orders"):
        regularity(ls.Summary.from_frame(customers.table, period="week"))


def test_schedule_is_the_kaplan_meier_estimate_of_scipy(customers: ls.Summary) -> None:
    rows = customers.purchases.sort_values(["customer_id", "date"])
    gap = rows.groupby("customer_id")["gap_days"].shift(-1)
    silent = (pd.Timestamp(customers.until) - rows["date"]).dt.days
    over = gap.notna().to_numpy()
    data = stats.CensoredData.right_censored(
        np.where(over, gap.fillna(0), silent).astype(float), ~over
    )
    curve = stats.ecdf(data).sf
    table = repurchase_curve(customers, days=[3, 7, 15, 90], level=0.95)
    np.testing.assert_allclose(table["bought_again"], 1 - curve.evaluate([3, 7, 15, 90]), rtol=1e-9)
    with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning, match="undefined at some"):
        ends = curve.confidence_interval(0.95, method="log-log")
    np.testing.assert_allclose(table["low"], 1 - ends.high.evaluate([3, 7, 15, 90]), rtol=1e-6)
    np.testing.assert_allclose(table["high"], 1 - ends.low.evaluate([3, 7, 15, 90]), rtol=1e-6)


def test_the_model_is_held_against_it(customers: ls.Summary, model: ls.LTVModel) -> None:
    staged = ls.assign_stages(model.predict(customers))
    table = repurchase_curve(customers, model, staged=staged)
    everyone = table[table["group"] == "all"]
    np.testing.assert_allclose(everyone["expected"], everyone["bought_again"], atol=0.01)
    assert (
        table.groupby("group")["purchases"].first().drop("all").sum()
        == everyone["purchases"].iloc[0]
        == 4814
    )
    assert set(table["group"]) == {"all", "active", "drowsy", "half_asleep", "asleep"}
    quarters = repurchase_curve(customers, days="quartiles")
    assert quarters["day"].is_monotonic_increasing
    assert len(quarters) == 3


@pytest.mark.parametrize("days", [[0, 3], [7, 3], [], "weekly", [np.nan]])
def test_days_are_checked(customers: ls.Summary, days: object) -> None:
    with pytest.raises(ConfigError, match="days must be"):
        repurchase_curve(customers, days=days)


def test_windows_at_k_1_are_those_of_the_model(customers: ls.Summary, model: ls.LTVModel) -> None:
    staged = ls.assign_stages(model.predict(customers))
    same = purchase_windows(model, staged, Regularity(1.0, 1.6, 2.0, 1, 1, 0.9))
    for name in ("next_purchase_p25", "next_purchase_p50", "next_purchase_p75"):
        assert (same[name] - staged[name]).abs().max() <= pd.Timedelta(1, "D")
    kept = purchase_windows(model, staged, Regularity(1.1, 1.0, 1.2, 1, 1, 0.9))
    assert (kept["window_distribution"] == "model").all()
    pd.testing.assert_frame_equal(kept.drop(columns="window_distribution"), staged)


def test_regular_windows_are_quantiles_of_simulated_gaps(model: ls.LTVModel) -> None:
    k, x, t_x, silent, horizon = 3.0, 6.0, 20.0, 14.0, 364.0
    keys = pd.DataFrame(
        {"frequency": [x], "recency": [t_x], "days_silent": [silent], "horizon_days": [horizon]}
    )
    rng, point = np.random.default_rng(4), model.purchases.estimate
    rate = rng.gamma(point["r"] + x, 1 / (point["alpha"] + t_x), 2_000_000) / 7
    gap = rng.gamma(k, 1 / (k * rate))
    wait = gap[(gap > silent) & (gap < silent + horizon)] - silent
    found = np.concatenate(_regular_waits(model, keys, k))
    np.testing.assert_allclose(found, np.quantile(wait, [0.25, 0.5, 0.75]), rtol=0.01)


def test_the_dates_of_a_regular_base_say_so() -> None:
    customers = ls.summarize(erlang_log(4.0, customers=300), period="week")
    model = ls.fit(customers, spend=None)
    staged = purchase_windows(model, model.predict(customers), regularity(customers))
    assert (staged["window_distribution"] == "erlang").all()
    assert staged["next_purchase_p25"].min() > pd.Timestamp(customers.until)
