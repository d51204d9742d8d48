"""The scores table: columns, values against lifetimes and plain formulas, edge cases, kinds of frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from lifetimes import BetaGeoFitter, GammaGammaFitter
from scipy import integrate

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.families import bgnbd

COLUMNS = [
    "customer_id",
    "frequency",
    "recency",
    "T",
    "monetary_value",
    "p_alive",
    "p_purchase",
    "expected_purchases",
    "purchases_low",
    "purchases_high",
    "expected_spend",
    "ltv",
    "ltv_low",
    "ltv_high",
    "activity_ratio",
    "value_lost",
    "next_purchase_p25",
    "next_purchase_p50",
    "next_purchase_p75",
]


@pytest.fixture(scope="module")
def scores(model: ls.LTVModel, customers: ls.Summary) -> pd.DataFrame:
    return model.predict(customers, horizon=52).sort_values("customer_id", ignore_index=True)


def test_every_column_is_there_and_every_number_is_sane(scores: pd.DataFrame) -> None:
    assert set(COLUMNS) <= set(scores.columns)
    assert len(scores) == 2357
    assert not scores[COLUMNS].isna().any(axis=None)
    for name in ("p_alive", "p_purchase", "p_window", "p_window_fresh", "activity_ratio"):
        assert scores[name].between(0, 1).all()
    assert (scores["activity_ratio"] > 0).all()
    for low, high in (("purchases_low", "purchases_high"), ("ltv_low", "ltv_high")):
        assert (scores[low] <= scores[high]).all()
        assert (scores[low] >= 0).all()
    assert (scores["value_lost"] >= 0).all()
    assert (scores["p_purchase"] <= scores["p_alive"] + 1e-15).all()
    assert (scores["expected_purchases"] >= scores["p_purchase"] - 1e-12).all()


def test_purchases_and_spend_agree_with_lifetimes(model: ls.LTVModel, scores: pd.DataFrame) -> None:
    bg, gg = BetaGeoFitter(), GammaGammaFitter()
    bg.params_ = pd.Series(model.purchases.estimate)
    assert model.spend is not None
    gg.params_ = pd.Series(model.spend.estimate)
    history = scores["frequency"], scores["recency"], scores["T"]
    np.testing.assert_allclose(
        scores["p_alive"], bg.conditional_probability_alive(*history), atol=1e-10
    )
    theirs = bg.conditional_expected_number_of_purchases_up_to_time(52, *history)
    np.testing.assert_allclose(scores["expected_purchases"], theirs, rtol=1e-6)
    spend = gg.conditional_expected_average_profit(scores["frequency"], scores["monetary_value"])
    np.testing.assert_allclose(scores["expected_spend"], spend, rtol=1e-9)


def test_ltv_is_the_integral_of_discounted_purchases_times_spend(
    model: ls.LTVModel, customers: ls.Summary
) -> None:
    scores = model.predict(customers, horizon=52, discount_rate=0.2, margin=0.3).sort_values(
        "customer_id"
    )
    params = model.purchases.estimate
    delta = np.log(1.2) * 7 / 365.25
    for _, row in scores.iloc[::400].iterrows():

        def density(s: float, row: pd.Series = row) -> float:
            step = 1e-4
            at = [
                bgnbd.expected_purchases(
                    s + d, row["frequency"], row["recency"], row["T"], **params
                )
                for d in (step, -step)
            ]
            return float(np.exp(-delta * s) * (at[0] - at[1]) / (2 * step))

        total = integrate.quad(density, 1e-3, 52, epsabs=1e-10, limit=200)[0] + float(
            bgnbd.expected_purchases(1e-3, row["frequency"], row["recency"], row["T"], **params)
        )
        assert row["ltv"] == pytest.approx(0.3 * total * row["expected_spend"], rel=1e-5)


def test_no_discount_and_full_margin_is_plain_revenue(
    model: ls.LTVModel, customers: ls.Summary
) -> None:
    scores = model.predict(customers, horizon=52, discount_rate=0.0)
    np.testing.assert_allclose(
        scores["ltv"], scores["expected_purchases"] * scores["expected_spend"], rtol=1e-12
    )


def test_discount_is_yearly_whatever_the_period(model: ls.LTVModel, customers: ls.Summary) -> None:
    far = model.predict(customers, horizon=520, discount_rate=0.5)["ltv"].sum()
    near = model.predict(customers, horizon=520, discount_rate=0.05)["ltv"].sum()
    assert 0.2 < far / near < 0.8
    one_day = model.predict(customers, horizon=1 / 7, discount_rate=0.5)
    np.testing.assert_allclose(
        one_day["ltv"], one_day["expected_purchases"] * one_day["expected_spend"], rtol=2e-3
    )


def test_retained_is_the_ratio_to_a_fresh_customer(
    model: ls.LTVModel, scores: pd.DataFrame, customers: ls.Summary
) -> None:
    params, h = model.purchases.estimate, customers.stage_window / 7
    x, t_x, T = scores["frequency"], scores["recency"], scores["T"]
    now, fresh = (
        bgnbd.p_purchase(h, x, t_x, T, **params),
        bgnbd.p_purchase(h, x, t_x, t_x, **params),
    )
    np.testing.assert_allclose(scores["activity_ratio"], now / fresh, rtol=1e-12)
    just_bought = scores[(T - t_x) == 0]
    assert len(just_bought) > 3
    np.testing.assert_allclose(just_bought["activity_ratio"], 1.0)
    np.testing.assert_allclose(just_bought["value_lost"], 0.0, atol=1e-9)


def test_next_purchase_dates_are_quantiles_of_the_wait(
    model: ls.LTVModel, scores: pd.DataFrame
) -> None:
    params = model.purchases.estimate
    row = scores[(scores["frequency"] == 3)].iloc[0]
    alive = bgnbd.p_alive(row["frequency"], row["recency"], row["T"], **params)
    total = bgnbd.p_purchase(52, row["frequency"], row["recency"], row["T"], **params)
    for share in (25, 50, 75):
        days = (pd.Timestamp(row[f"next_purchase_p{share}"]) - pd.Timestamp("1997-09-30")).days
        reached = [
            bgnbd.p_purchase(d / 7, row["frequency"], row["recency"], row["T"], **params) / total
            for d in (days - 1, days)
        ]
        assert reached[0] < share / 100 <= reached[1] + 1e-9
    assert 0 < alive < 1


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "duckdb"])
def test_frames_come_back_in_the_kind_that_went_in(
    cdnow: pd.DataFrame, model: ls.LTVModel, scores: pd.DataFrame, kind: str
) -> None:
    con = duckdb.connect()
    make: dict[str, Any] = {
        "pandas": lambda d: d,
        "polars": pl.from_pandas,
        "pyarrow": lambda d: pa.Table.from_pandas(d, preserve_index=False),
        "duckdb": con.from_df,
    }
    orders = make[kind](cdnow)
    got = model.predict(ls.summarize(orders, until="1997-09-30"), horizon=52)
    assert type(got) is type(orders)
    frame = {
        "pandas": lambda d: d,
        "polars": lambda d: d.to_pandas(),
        "pyarrow": lambda d: d.to_pandas(),
    }.get(kind, lambda d: d.df())(got)
    frame = frame.sort_values("customer_id", ignore_index=True)
    for name in (
        "p_alive",
        "expected_purchases",
        "ltv",
        "ltv_high",
        "activity_ratio",
        "value_lost",
    ):
        np.testing.assert_allclose(frame[name], scores[name], rtol=1e-12)
    dates = pd.to_datetime(frame["next_purchase_p50"]).to_numpy().astype("datetime64[D]")
    np.testing.assert_array_equal(
        dates, pd.to_datetime(scores["next_purchase_p50"]).to_numpy().astype("datetime64[D]")
    )


def test_a_ready_made_table_is_accepted(model: ls.LTVModel, scores: pd.DataFrame) -> None:
    table = scores[["frequency", "recency", "T", "monetary_value"]]
    got = model.predict(table, horizon=52)
    np.testing.assert_allclose(np.sort(got["ltv"]), np.sort(scores["ltv"]), rtol=1e-12)


def test_customers_outside_the_fit_keep_finite_numbers(model: ls.LTVModel) -> None:
    table = pd.DataFrame(
        {
            "customer_id": ["new", "daily", "old", "wholesale"],
            "frequency": [0, 9000, 1, 3],
            "recency": [0.0, 1400.0, 0.2, 20.0],
            "T": [0.0, 1400.0, 5000.0, 30.0],
            "monetary_value": [0.0, 1e-3, 5.0, 1e9],
        }
    )
    got = model.predict(table, horizon=1000)
    numbers = got.select_dtypes("number").drop(columns=["mean_gap_days"])
    assert np.isfinite(numbers.to_numpy(float)).all()
    assert (got["activity_ratio"] > 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizon": 0},
        {"horizon": float("nan")},
        {"discount_rate": -0.1},
        {"margin": 0},
        {"margin": 1.5},
        {"level": 1},
    ],
)
def test_terms_out_of_range_are_refused(
    model: ls.LTVModel, customers: ls.Summary, wrong: dict[str, float]
) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}: expected"):
        model.predict(customers, **wrong)


def test_another_period_is_refused(cdnow: pd.DataFrame, model: ls.LTVModel) -> None:
    with pytest.raises(ConfigError, match=r"week.*day"):
        model.predict(ls.summarize(cdnow, until="1997-09-30", period="day"))


def test_a_frame_without_the_columns_is_refused(model: ls.LTVModel) -> None:
    with pytest.raises(DataError, match="frequency"):
        model.predict(pd.DataFrame({"x": [1]}))


def test_predictions_from_draws_are_the_mean_of_predictions_from_each(
    model: ls.LTVModel, customers: ls.Summary
) -> None:
    rng = np.random.default_rng(3)
    several = {
        name: replace(
            part, draws={k: v * np.exp(0.1 * rng.standard_normal(5)) for k, v in part.draws.items()}
        )
        for name, part in model.parts.items()
    }
    mixed = replace(model, **several).predict(customers)
    each = [
        replace(
            model,
            **{
                n: replace(p, draws={k: v[[i]] for k, v in p.draws.items()})
                for n, p in several.items()
            },
        ).predict(customers)
        for i in range(5)
    ]
    for name in (
        "p_alive",
        "p_purchase",
        "expected_purchases",
        "p_window",
        "p_window_fresh",
        "expected_spend",
        "ltv",
    ):
        np.testing.assert_allclose(
            mixed[name], np.mean([s[name] for s in each], axis=0), rtol=1e-9, err_msg=name
        )
    for name in ("purchases_high", "ltv_high"):
        assert (mixed[name] >= np.min([s[name] for s in each], axis=0) * 0.98 - 1e-9).all()
        assert (mixed[name] <= np.max([s[name] for s in each], axis=0) * 1.02 + 1e-9).all()
