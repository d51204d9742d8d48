"""Fits against published values, lifetimes, and simulation with a known truth; every failure speaks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from lifetimes import BetaGeoFitter, GammaGammaFitter

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.data.customers.compress import compress
from lifestage.data.customers.counts import Counts
from lifestage.families import bgnbd, gammagamma, pareto_nbd
from lifestage.fitting import fit_purchases, fit_spend
from lifestage.fitting.mle import maximise
from lifestage.fitting.priors import log_prior
from tests.simulated import BGNBD, SPEND, simulate_base, simulate_table

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray


def test_cdnow_bg_nbd_is_the_published_fit(model: ls.LTVModel, golden: dict[str, Any]) -> None:
    published = golden["cdnow"]["bg/nbd"]
    for name, tolerance in {"r": 0.001, "a": 0.001, "b": 0.001, "alpha": 0.01}.items():
        assert model.purchases.estimate[name] == pytest.approx(
            published["params"][name], abs=tolerance
        )
    assert model.log_likelihood("purchases") == pytest.approx(published["log_likelihood"], abs=1e-3)
    assert model.converged


def test_cdnow_mbg_nbd_is_the_published_fit(customers: ls.Summary, golden: dict[str, Any]) -> None:
    published = golden["cdnow"]["mbg/nbd"]
    fitted = ls.fit(customers, purchases="mbg/nbd")
    for name, value in published["params"].items():
        assert fitted.purchases.estimate[name] == pytest.approx(value, abs=0.001)
    assert fitted.log_likelihood() == pytest.approx(published["log_likelihood"], abs=1e-3)


def test_cdnow_gamma_gamma_is_the_published_fit(model: ls.LTVModel, golden: dict[str, Any]) -> None:
    published = golden["cdnow"]["gamma-gamma"]
    assert model.spend is not None
    for name, value in published["params"].items():
        assert model.spend.estimate[name] == pytest.approx(value, abs=0.02)
    assert model.log_likelihood("spend") == pytest.approx(published["log_likelihood"], abs=0.01)
    assert model.spend.diagnostics["observations"] == published["n"]


def test_information_criteria(model: ls.LTVModel) -> None:
    d = model.purchases.diagnostics
    assert d["aic"] == pytest.approx(2 * 4 + 2 * 9582.4292, abs=1e-2)
    assert d["bic"] == pytest.approx(4 * np.log(2357) + 2 * 9582.4292, abs=1e-2)


def test_parameters_agree_with_lifetimes_on_cdnow(
    customers: ls.Summary, model: ls.LTVModel
) -> None:
    table = customers.table
    theirs = BetaGeoFitter().fit(table["frequency"], table["recency"], table["T"])
    for name, value in theirs.params_.items():
        assert model.purchases.estimate[name] == pytest.approx(value, rel=1e-3)
    buyers = table[table["frequency"] > 0]
    spend = GammaGammaFitter().fit(buyers["frequency"], buyers["monetary_value"])
    assert model.spend is not None
    for name, value in spend.params_.items():
        assert model.spend.estimate[name] == pytest.approx(value, rel=2e-3)


def test_parameters_agree_with_lifetimes_on_a_simulated_base() -> None:
    base = simulate_base(3000, seed=11)
    summary = ls.Summary.from_frame(base.table, period="week")
    ours = ls.fit(summary)
    theirs = BetaGeoFitter().fit(base.table["frequency"], base.table["recency"], base.table["T"])
    scores = ours.predict(summary, horizon=26)
    for name, value in theirs.params_.items():
        assert ours.purchases.estimate[name] == pytest.approx(value, rel=2e-3)
    alive = theirs.conditional_probability_alive(
        base.table["frequency"], base.table["recency"], base.table["T"]
    )
    expected = theirs.conditional_expected_number_of_purchases_up_to_time(
        26, base.table["frequency"], base.table["recency"], base.table["T"]
    )
    scores = scores.sort_values("customer_id")
    np.testing.assert_allclose(scores["p_alive"], np.asarray(alive), atol=2e-4)
    np.testing.assert_allclose(
        scores["expected_purchases"], np.asarray(expected), rtol=2e-3, atol=1e-4
    )


@pytest.mark.parametrize("family", ["bg/nbd", "mbg/nbd"])
def test_known_parameters_are_recovered_within_four_standard_errors(family: str) -> None:
    base = simulate_base(20_000, seed=5, longest=60, first_dropout=family == "mbg/nbd")
    fitted = ls.fit(ls.Summary.from_frame(base.table, period="week"), purchases=family)
    for _, row in fitted.params.iterrows():
        truth = (BGNBD | SPEND)[row["parameter"]]
        assert abs(np.log(row["estimate"] / truth)) < 4 * row["sd"] / row["estimate"], row[
            "parameter"
        ]
    assert fitted.converged


def test_standard_errors_match_the_spread_over_repeated_samples() -> None:
    estimates, reported = [], []
    for seed in range(80):
        part = fit_purchases(
            compress(ls.Summary.from_frame(simulate_table(1500, seed=seed), period="week"))
        )
        estimates.append([np.log(part.estimate[name]) for name in ("r", "alpha")])
        assert part.covariance is not None
        reported.append(np.sqrt(np.diag(part.covariance))[:2])
    spread = np.std(estimates, axis=0, ddof=1)
    np.testing.assert_allclose(
        np.mean(reported, axis=0), spread, rtol=0.25
    )  # a spread of 80 is known to ±7.9 %


@pytest.mark.parametrize("method", ["mle", "map"])
def test_weeks_and_days_give_the_same_model(cdnow: pd.DataFrame, method: str) -> None:
    scores = {}
    for period, horizon in (("week", 52), ("day", 364)):
        summary = ls.summarize(cdnow, until="1997-09-30", period=period)
        fitted = ls.fit(summary, method=method)
        scores[period] = fitted.predict(summary, horizon=horizon).sort_values("customer_id")
    np.testing.assert_allclose(scores["week"]["p_alive"], scores["day"]["p_alive"], atol=1e-6)
    np.testing.assert_allclose(scores["week"]["ltv"], scores["day"]["ltv"], rtol=1e-4)
    np.testing.assert_allclose(scores["week"]["ltv_high"], scores["day"]["ltv_high"], rtol=1e-4)


def test_money_in_cents_gives_the_same_spend_model(customers: ls.Summary) -> None:
    cents = customers.table.assign(monetary_value=customers.table["monetary_value"] * 100)
    fits = [
        fit_spend(compress(ls.Summary.from_frame(t, period="week")))
        for t in (customers.table, cents)
    ]
    assert fits[1].estimate["v"] == pytest.approx(100 * fits[0].estimate["v"], rel=1e-6)
    assert fits[1].estimate["q"] == pytest.approx(fits[0].estimate["q"], rel=1e-6)


def test_map_pulls_towards_the_prior_only_as_far_as_data_let_it(customers: ls.Summary) -> None:
    full = ls.fit(customers, method="map").purchases.estimate["b"]
    mle = ls.fit(customers).purchases.estimate["b"]
    few = customers.table.sample(150, random_state=1)
    small = ls.fit(ls.Summary.from_frame(few, period="week"), method="map")
    assert full == pytest.approx(mle, rel=0.02)
    assert small.purchases.estimate["a"] + small.purchases.estimate["b"] < 60
    assert small.purchases.priors


@pytest.mark.parametrize("module", [bgnbd, pareto_nbd, gammagamma])
def test_prior_gradients_are_exact(module: ModuleType) -> None:
    prior = log_prior(module)
    at = np.array([0.3, -0.7, 1.1, 0.4])[: len(module.PARAMS)]
    slope = [(prior(at + 1e-6 * e)[0] - prior(at - 1e-6 * e)[0]) / 2e-6 for e in np.eye(at.size)]
    np.testing.assert_allclose(prior(at)[1], slope, rtol=1e-6)


def test_everyone_bought_once_is_said_and_finite() -> None:
    table = pd.DataFrame(
        {"frequency": 0, "recency": 0.0, "T": np.linspace(5, 50, 400), "monetary_value": 0.0}
    )
    summary = ls.Summary.from_frame(table, period="week")
    fitted = ls.fit(summary)
    scores = fitted.predict(summary, horizon=52)
    assert fitted.purchases.status.has("no_repeaters")
    assert fitted.spend is None
    assert np.isfinite(scores["expected_purchases"]).all()
    assert (scores["expected_purchases"] < 1e-3).all()


def test_a_base_without_dropout_is_said() -> None:
    rng = np.random.default_rng(2)
    rate, T = rng.gamma(2.0, 0.1, 2000), np.full(2000, 52.0)
    rows = []
    for i in range(2000):
        times = np.cumsum(rng.exponential(1 / rate[i], 200))
        times = times[times <= 52]
        rows.append((times.size, times[-1] if times.size else 0.0))
    table = pd.DataFrame(rows, columns=["frequency", "recency"]).assign(T=T, monetary_value=0.0)
    fitted = fit_purchases(compress(ls.Summary.from_frame(table, period="week")))
    assert fitted.status.has("dropout_not_identified")
    assert "P(alive)" in str(fitted.status)


def test_an_infinite_spend_mean_is_said_and_never_used() -> None:
    rng = np.random.default_rng(4)
    base = simulate_base(2000, seed=21)
    x = base.table["frequency"].to_numpy()
    nu = rng.gamma(0.7, 1 / 10.0, x.size)
    spend = np.where(x > 0, rng.gamma(np.maximum(2.0 * x, 1e-9), 1 / (nu * np.maximum(x, 1))), 0.0)
    summary = ls.Summary.from_frame(base.table.assign(monetary_value=spend), period="week")
    fitted = ls.fit(summary)
    assert fitted.spend is not None
    assert fitted.spend.estimate["q"] <= 1
    assert fitted.spend.status.has("spend_mean_infinite")
    scores = fitted.predict(summary)
    assert np.isfinite(scores[["ltv", "ltv_low", "ltv_high", "expected_spend"]]).all(axis=None)
    assert (scores["ltv"] >= 0).all()


def test_a_correlation_of_spend_and_frequency_is_said() -> None:
    base = simulate_base(3000, seed=8)
    table = base.table
    rising = np.where(
        table["frequency"] > 0, table["monetary_value"] * (1 + table["frequency"]) ** 1.5, 0.0
    )
    part = fit_spend(
        compress(ls.Summary.from_frame(table.assign(monetary_value=rising), period="week"))
    )
    buyers = table["frequency"] > 0
    theirs = pd.Series(rising[buyers]).corr(
        table.loc[buyers, "frequency"].reset_index(drop=True), method="spearman"
    )
    assert part.diagnostics["independence"]["all"]["spearman"] == pytest.approx(theirs, abs=1e-12)
    assert part.status.has("spend_frequency_correlated")


def test_too_small_a_base_is_refused() -> None:
    table = simulate_base(60, seed=1).table
    with pytest.raises(DataError, match=r"100 customers or 30 repeat buyers.*60 customers"):
        ls.fit(ls.Summary.from_frame(table, period="week"))


@pytest.mark.parametrize(
    "wrong", [{"purchases": "pareto"}, {"spend": "normal"}, {"method": "guess"}]
)
def test_unknown_names_are_refused(customers: ls.Summary, wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="must be one of"):
        ls.fit(customers, **wrong)


def test_a_parameter_that_runs_away_is_reported_at_its_bound() -> None:
    def rising(
        theta: NDArray[np.float64],
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        return float(-np.exp(-theta[0])), np.exp(-theta), -np.diag(np.exp(-theta))

    best = maximise(rising, [np.zeros(1)], 1.0)
    assert best.at_bound == (0,)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-9, 1e9, 1e100])
def test_a_spend_fit_is_free_of_the_unit(customers: ls.Summary, scale: float) -> None:
    counts = compress(customers)
    for how in ({}, {"method": "laplace", "draws": 20}):
        one = fit_spend(counts, **how)
        other = fit_spend(replace(counts, spend_m=counts.spend_m * scale), **how)
        for name, unit in {"p": 1.0, "q": 1.0, "v": scale}.items():
            np.testing.assert_allclose(other.draws[name] / unit, one.draws[name], rtol=1e-9)
        shift = counts.spend_weight.sum() * np.log(scale)
        assert other.diagnostics["log_likelihood"] + shift == pytest.approx(
            one.diagnostics["log_likelihood"], rel=1e-9
        )
        assert other.diagnostics["units"][-1] == pytest.approx(
            scale * one.diagnostics["units"][-1], rel=1e-12
        )
        assert other.status == one.status


def test_amounts_of_any_scale_are_fitted_and_predicted(
    cdnow: pd.DataFrame, model: ls.LTVModel
) -> None:
    summary = ls.summarize(
        cdnow.assign(amount=cdnow["amount"] * 1e-200), until="1997-09-30", period="week"
    )
    found = ls.fit(summary).predict(summary)["ltv"].sum()
    want = model.predict(ls.summarize(cdnow, until="1997-09-30", period="week"))["ltv"].sum()
    assert found * 1e200 == pytest.approx(want, rel=1e-9)


def test_a_prior_in_money_means_the_money_of_the_data(customers: ls.Summary) -> None:
    counts = compress(customers)
    known = fit_spend(counts, method="map", priors={"v": "LogNormal(median=15.4, sigma=0.0001)"})
    assert known.estimate["v"] == pytest.approx(15.4, rel=1e-3)


def test_one_price_is_the_limit_of_the_spend_model_and_no_failure() -> None:
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2022-01-01")
    rows = [
        (i, start + pd.Timedelta(days=int(k)), 12.0)
        for i in range(150)
        for k in rng.integers(0, 365, 4)
    ]
    daily = [(150, start + pd.Timedelta(days=k), 12.0) for k in range(365)]
    orders = pd.DataFrame(rows + daily, columns=["customer_id", "date", "amount"])
    doubled = ls.fit(
        ls.summarize(orders)
    )  # lines of one day are one purchase: a few cost twice as much
    assert doubled.converged
    assert doubled.parts["spend"].status.has("spend_at_limit")
    fitted = ls.fit(ls.summarize(orders.drop_duplicates()))
    assert fitted.spend is not None
    assert fitted.converged
    assert "did NOT converge" not in fitted.status
    assert fitted.spend.status.has("spend_at_limit")
    p, q, v = (fitted.spend.estimate[name] for name in ("p", "q", "v"))
    assert p * v / (q - 1) == pytest.approx(12.0, rel=2e-6)
    x = np.array([1.0, 5.0, 364.0])
    np.testing.assert_allclose(
        gammagamma.expected_spend(x, np.full(3, 12.0), p=p, q=q, v=v), 12.0, rtol=1e-6
    )


@pytest.mark.parametrize("which", ["a price and its cents", "a price of each customer's own"])
def test_hardly_different_prices_are_said_to_be_that(which: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(1, 8, 400).astype(float)
    own = (
        12.0 + rng.choice([-0.01, 0.0, 0.01], 400)
        if which.startswith("a price and")
        else rng.normal(12, 0.02, 400)
    )
    fitted = fit_spend(Counts.from_arrays(x, 3 * x, np.full(400, 50.0), own))
    assert fitted.status.converged
    assert fitted.status.has("spend_at_limit")
    p, q, v = (fitted.estimate[name] for name in ("p", "q", "v"))
    assert p * v / (q - 1) == pytest.approx(12.0, rel=2e-3)
