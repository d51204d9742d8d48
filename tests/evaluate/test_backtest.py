"""Backtests against published numbers, other implementations of the scores, and planted truths."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.evaluate import Backtest, backtest
from lifestage.evaluate import scoring_rules as scores
from lifestage.evaluate.forecasts import model_forecast
from lifestage.evaluate.origins import choose_origins
from lifestage.families import bgnbd
from lifestage.numerics import statistics


@pytest.fixture(scope="module")
def cdnow_test(cdnow: pd.DataFrame) -> Backtest:
    return backtest(cdnow, origins=["1997-09-30"], horizon=39, period="week")


def test_published_forecasts_are_reproduced(cdnow_test: Backtest, golden: dict[str, Any]) -> None:
    known = golden["forecast benchmarks, CDNOW sample, 39-week holdout"]
    table = cdnow_test.table.set_index("forecast")
    for name in ("bg/nbd", "mbg/nbd"):
        mae, rmse, bias, auc, log_loss = known[name]
        row = table.loc[name]
        assert row["mae"] == pytest.approx(mae, abs=0.005)
        assert row["rmse"] == pytest.approx(rmse, abs=0.005)
        assert row["bias"] == pytest.approx(bias, abs=0.005)
        assert row["auc"] == pytest.approx(auc, abs=0.003)
        assert row["log_loss"] == pytest.approx(log_loss, abs=0.002)
    assert table.loc["days since last purchase", "auc"] == pytest.approx(0.771, abs=0.001)


def test_a_model_is_graded_against_the_best_baseline(cdnow_test: Backtest) -> None:
    assert cdnow_test.grades == {"bg/nbd": "better", "mbg/nbd": "better"}
    assert "better than the best baseline" in str(cdnow_test)
    table = cdnow_test.differences
    assert (table["low"] <= table["difference"]).all()
    assert (table["difference"] <= table["high"]).all()
    mae = cdnow_test.table.set_index("forecast")["mae"]
    row = table[
        (table["model"] == "bg/nbd")
        & (table["loss"] == "purchases")
        & (table["baseline"] == "base rate")
    ]
    assert row["difference"].iloc[0] == pytest.approx(mae["bg/nbd"] - mae["base rate"])


@pytest.mark.slow
def test_stacked_and_recalibrated_models_beat_the_best_single_one(
    cdnow: pd.DataFrame, golden: dict[str, Any]
) -> None:
    known = golden["forecast benchmarks, CDNOW sample, 39-week holdout"]
    found = backtest(
        cdnow,
        origins=["1997-09-30"],
        horizon=39,
        families=["mbg/nbd", "stack"],
        recalibrate=True,
        period="week",
    )
    table = found.table.set_index("forecast")
    best = min(known[name][4] for name in ("bg/nbd", "mbg/nbd", "pareto/nbd"))
    assert table.loc["mbg/nbd, recalibrated", "log_loss"] < best - 0.005
    assert table.loc["mbg/nbd, recalibrated", "mae"] == table.loc["mbg/nbd", "mae"]
    assert table.loc["stack", "log_loss"] < best
    assert (
        table.loc["mbg/nbd, recalibrated", "calibration_error"]
        < table.loc["mbg/nbd", "calibration_error"]
    )
    assert found.grades["mbg/nbd, recalibrated"] == "better"


def test_bins_and_curves_are_those_of_the_log(cdnow_test: Backtest) -> None:
    bins = cdnow_test.reliability[cdnow_test.reliability["forecast"] == "bg/nbd"]
    assert bins["customers"].sum() == 2357
    row = cdnow_test.table.set_index("forecast").loc["bg/nbd"]
    assert np.average(bins["observed"], weights=bins["customers"]) == pytest.approx(row["buyers"])
    one = bins.iloc[0]
    wilson = stats.binomtest(
        round(one["observed"] * one["customers"]), one["customers"]
    ).proportion_ci(0.9, "wilson")
    assert (one["low"], one["high"]) == pytest.approx(tuple(wilson))
    curve = cdnow_test.tracking[cdnow_test.tracking["forecast"] == "bg/nbd"]
    assert curve["actual"].iloc[-1] == 1882  # 39 weeks of the log
    assert curve["expected"].iloc[-1] / 1882 - 1 == pytest.approx(row["bias"], abs=1e-6)
    assert row["lift"] > 4
    assert 0.88 <= row["spend_coverage"] <= 1


def test_a_model_of_nothing_is_no_better_than_the_base_rate() -> None:
    """Everybody buys at one rate and nobody leaves: there is nothing to know of a customer."""
    rng, rows = np.random.default_rng(2), []
    for customer in range(1500):
        days = np.unique(np.floor(np.cumsum(rng.exponential(30.0, 60))))
        rows.append(
            pd.DataFrame({"customer_id": customer, "day": np.concatenate([[0], days[days < 540]])})
        )
    log = pd.concat(rows)
    log["date"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(log["day"], "D")
    found = backtest(
        log.assign(amount=1.0),
        horizon=13,
        origins=2,
        families=["bg/nbd"],
        spend=None,
        period="week",
    )
    assert found.grades["bg/nbd"] in ("no better", "worse")  # it still has parameters to learn
    table = found.table.groupby("forecast")[["mae", "log_loss"]].mean()
    np.testing.assert_allclose(table.loc["bg/nbd"], table.loc["base rate"], rtol=0.01)


@pytest.mark.slow
def test_rolling_origins_and_engines(cdnow: pd.DataFrame) -> None:
    options: dict[str, Any] = {
        "horizon": 13,
        "origins": 3,
        "families": ["mbg/nbd"],
        "period": "week",
    }
    one, other = backtest(cdnow, **options), backtest(duckdb.from_df(cdnow), **options)
    assert one.table["origin"].unique().tolist() == [
        date(1997, 9, 30),
        date(1997, 12, 30),
        date(1998, 3, 31),
    ]
    pd.testing.assert_frame_equal(one.table, other.table, rtol=1e-6)
    assert "last period repeats" in set(one.table["forecast"])
    assert one.table["coverage"].dropna().between(0.85, 1).all()


def test_a_window_for_stages_longer_than_the_past_is_no_hindrance(cdnow: pd.DataFrame) -> None:
    how: dict[str, Any] = {
        "origins": ["1997-05-01"],
        "horizon": 13,
        "families": ["bg/nbd"],
        "period": "week",
    }
    long = backtest(cdnow, stage_window=200, **how).table
    pd.testing.assert_frame_equal(long, backtest(cdnow, **how).table)


def test_the_score_of_spend_is_that_of_simulated_spend(
    customers: ls.Summary, model: ls.LTVModel
) -> None:
    assert model.spend is not None
    p, q, v = (float(model.spend.draws[name][0]) for name in ("p", "q", "v"))
    rng, horizon = np.random.default_rng(3), 39.0
    table = customers.table.sort_values("frequency").iloc[
        [0, 1200, 2000, 2250, 2356]
    ]  # up to the heaviest buyer
    spent = np.array([0.0, 30.0, 0.0, 90.0, 400.0])
    table = table.assign(purchases=np.ceil(spent / 30), spent=spent)
    found = model_forecast(model, customers, table, horizon, 0.9)
    for i, row in enumerate(table.itertuples()):
        n = np.arange(400)
        law = bgnbd.purchase_pmf(
            n, horizon, row.frequency, row.recency, row.T, **model.purchases.estimate
        )
        counts = rng.choice(n, 400_000, p=law / law.sum())
        bought = counts[counts > 0]
        mean = stats.invgamma(q + p * row.frequency, scale=v + row.frequency * row.monetary_value)
        total = np.zeros(counts.size)
        total[counts > 0] = rng.gamma(p * bought) * mean.rvs(bought.size, random_state=rng)
        for name, sample, actual in (
            ("crps", counts, row.purchases),
            ("spend_crps", total, row.spent),
        ):
            spread = np.abs(sample - rng.permutation(sample)).mean()
            assert found[name][i] == pytest.approx(
                np.abs(sample - actual).mean() - spread / 2, rel=0.02, abs=2e-3
            )


def test_what_cannot_be_tested_is_refused(cdnow: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="is an origin"):
        backtest(cdnow, horizon=39, origins=3, period="week")
    with pytest.raises(DataError, match="is an origin"):
        backtest(cdnow, horizon=39, origins=["1998-03-01"], period="week")
    with pytest.raises(ConfigError, match="in the place of until"):
        backtest(cdnow, until="1997-09-30")
    with pytest.raises(ConfigError, match="horizon: expected one number of periods above 0"):
        backtest(cdnow, horizon=0)


def test_scores_agree_with_other_ways_to_reckon() -> None:
    rng = np.random.default_rng(0)
    score, came = rng.random(400).round(2), (rng.random(400) < 0.3).astype(float)
    u = stats.mannwhitneyu(score[came > 0], score[came == 0]).statistic
    assert scores.area_under_curve(score, came) == pytest.approx(
        u / (came.sum() * (1 - came).sum())
    )
    law = stats.nbinom(2.0, 0.3)
    points = np.arange(200.0)
    survival = law.sf(points)[None, :]
    for y in (0, 3, 11):
        area = integrate.quad(
            lambda t, y=y: (law.cdf(np.floor(t)) - (t >= y)) ** 2,
            0,
            60,
            limit=500,
            points=range(61),
        )[0]
        assert scores.crps(points, survival, [y], steps=True)[0] == pytest.approx(area, rel=1e-4)
    wide = stats.expon(scale=7.0)
    fine = np.append(0.0, np.geomspace(1e-3, 300, 2000))
    for y in (
        0.0,
        4.0,
        350.0,
    ):  # CRPS of an exponential law in closed form, of mean m: y + 2m·exp(−y/m) − 1.5m
        found = scores.crps(fine, wide.sf(fine)[None, :], [y], steps=False)[0]
        assert found == pytest.approx(y + 14 * np.exp(-y / 7) - 10.5, rel=1e-4)
    money = rng.gamma(0.5, 10, 400)
    assert scores.gini(money, money) == pytest.approx(1.0)
    assert scores.gini(-money, money) == pytest.approx(-1.0, abs=0.01)
    assert scores.top_share(money, money) == 1.0
    assert scores.coverage([0, 0], [1, 1], [1, 2]) == 0.5
    assert scores.brier([0.2, 0.7], [0, 1]) == pytest.approx((0.04 + 0.09) / 2)
    assert statistics.log_loss([0.2, 0.7], [0, 1]) == pytest.approx(
        -(np.log(0.8) + np.log(0.7)) / 2
    )


def test_log_loss_is_the_one_of_others_and_finite_for_what_was_certain() -> None:
    rng = np.random.default_rng(4)
    chance = np.concatenate(
        [
            rng.uniform(size=500),
            10.0 ** -rng.uniform(0, 14, 500),
            1 - 10.0 ** -rng.uniform(0, 14, 500),
        ]
    )
    came = rng.uniform(size=chance.size) < 0.5
    np.testing.assert_allclose(
        statistics.log_losses(chance, came), -stats.bernoulli.logpmf(came, chance), rtol=1e-12
    )
    sure, came = np.array([0.0, 0.0, 1.0, 1.0, 1e-20]), np.array([1, 0, 0, 1, 1])
    kept = np.clip(
        sure, 1e-15, 1 - 1e-15
    )  # scikit-learn's formula, with the bound it had up to 1.2
    theirs = -(special.xlogy(came, kept) + special.xlogy(1 - came, 1 - kept))
    np.testing.assert_allclose(statistics.log_losses(sure, came), theirs, rtol=1e-12, atol=1e-17)
    np.testing.assert_allclose(
        statistics.log_scores([0.25, 1e-300, 0.0]), np.log([0.25, 1e-300, 2.2250738585072014e-308])
    )


def test_the_table_and_the_differences_of_a_backtest_hold_the_same_log_loss(
    cdnow_test: Backtest,
) -> None:
    loss = cdnow_test.table.groupby("forecast")["log_loss"].mean()
    assert loss["historical average"] > 3  # it gave no chance to buyers who had bought once
    gaps = cdnow_test.differences[cdnow_test.differences["loss"] == "log_loss"]
    assert len(gaps) >= 4
    for _, row in gaps.iterrows():
        assert row["difference"] == pytest.approx(
            loss[row["model"]] - loss[row["baseline"]], rel=1e-12
        )


def test_defaults_shrink_to_the_log(cdnow: pd.DataFrame) -> None:
    found = ls.backtest(cdnow, families=["bg/nbd"], period="week")
    assert (found.horizon, found.table["origin"].nunique()) == (22.0, 3)  # 545 days = 3.5 · 155.7
    assert [note.code for note in found.notes] == ["short_backtest"]
    assert "room for 3 origins and a horizon of 22 weeks" in str(found)


@pytest.mark.parametrize(
    ("last", "period", "asked", "horizon", "days", "noted"),
    [
        ("1999-12-31", "week", {}, 26.0, 3, False),
        ("1999-12-31", "month", {}, 182 / 30.4375 // 1, 3, False),
        ("1998-06-30", "week", {"horizon": 26}, 26.0, 2, True),
        ("1998-06-30", "week", {"horizon": 51}, 51.0, 1, True),
        ("1998-06-30", "week", {"origins": 1}, 26.0, 1, False),
        ("1998-06-30", "week", {"origins": 5}, 14.0, 5, True),
        ("1998-06-30", "week", {"origins": ["1997-09-30"]}, 26.0, 1, False),
        ("1998-06-30", "week", {"origins": ["1998-05-30"]}, 4.0, 1, True),
        ("1998-06-30", "week", {"origins": 3, "horizon": 20}, 20.0, 3, False),
        ("1997-03-31", "week", {}, 5.0, 2, True),
        ("1997-01-20", "week", {}, 12 / 7, 1, True),
    ],
)
def test_origins_are_what_was_asked_for_or_what_the_log_has_room_for(
    last: str, period: str, asked: dict[str, Any], horizon: float, days: int, noted: bool
) -> None:
    begin, until = date(1997, 1, 1), date.fromisoformat(last)
    orders = pd.DataFrame({"customer_id": [1, 2], "date": [str(begin), last], "amount": 1.0})
    whole = ls.summarize(orders, period=period, stage_window=5)
    found = choose_origins(whole, **asked)
    assert found.horizon == pytest.approx(horizon, abs=0.1)
    assert len(found.days) == days
    assert bool(found.notes) == noted
    ahead = timedelta(days=round(found.horizon * whole.period.days))
    assert found.days[-1] + ahead <= until
    assert found.days[0] - begin >= ahead / 2


def test_what_was_asked_for_is_not_shrunk(cdnow: pd.DataFrame) -> None:
    whole = ls.summarize(cdnow, period="week")
    for asked in ({"origins": 3, "horizon": 26}, {"origins": ["1998-06-30"]}, {"horizon": 60}):
        with pytest.raises(DataError, match="the log goes from 1997-01-01 to 1998-06-30"):
            choose_origins(whole, **asked)
    for nothing in (0, [], True):
        with pytest.raises(ConfigError, match="1 or more origins"):
            choose_origins(whole, origins=nothing)
