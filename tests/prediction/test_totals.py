"""Totals of a base: the sum of its customers, with intervals that cover what comes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import lifestage as ls
from lifestage.core.terms import Terms
from lifestage.data.customers.compress import compress
from lifestage.fitting.posterior import Posterior, Status
from lifestage.model import LTVModel
from lifestage.prediction.totals import totals
from tests.simulated import BGNBD, SPEND, simulate_base, simulate_futures


def test_totals_are_the_sums_of_the_scores(model: ls.LTVModel, customers: ls.Summary) -> None:
    scores = model.predict(customers, horizon=39, discount_rate=0.15, margin=0.4)
    table = totals(model, compress(customers), Terms(39, 0.15, 0.4)).set_index("quantity")
    assert table.loc["purchases", "estimate"] == pytest.approx(
        scores["expected_purchases"].sum(), rel=1e-9
    )
    revenue = (scores["expected_purchases"] * scores["expected_spend"]).sum()
    assert table.loc["revenue", "estimate"] == pytest.approx(revenue, rel=1e-9)
    assert table.loc["ltv", "estimate"] == pytest.approx(scores["ltv"].sum(), rel=1e-9)
    assert (table["low"] < table["estimate"]).all()
    assert (table["estimate"] < table["high"]).all()


@pytest.mark.slow
def test_intervals_of_totals_cover_what_comes() -> None:
    """80 % intervals of fitted models over 60 simulated bases: 80 % ± 4 binomial standard errors."""
    hits = np.zeros(2)
    for seed in range(60):
        base = simulate_base(1500, seed=3000 + seed, horizon=26)
        summary = ls.Summary.from_frame(base.table, period="week")
        table = totals(ls.fit(summary), compress(summary), Terms(26, 0.0, 1.0, 0.8)).set_index(
            "quantity"
        )
        for i, (name, actual) in enumerate(
            (("purchases", base.future_purchases), ("revenue", base.future_spend))
        ):
            hits[i] += table.loc[name, "low"] <= actual.sum() <= table.loc[name, "high"]
    assert (np.abs(hits / 60 - 0.8) < 4 * np.sqrt(0.16 / 60)).all(), hits


def test_intervals_are_those_of_simulated_futures() -> None:
    """With known parameters, the mean and the spread of the totals of 2,000 futures of the same customers."""
    table = simulate_base(600, seed=500).table
    summary = ls.Summary.from_frame(table, period="week")

    def part(family: str, params: dict[str, float]) -> Posterior:
        return Posterior(
            family, "known", {k: np.array([v]) for k, v in params.items()}, Status(True)
        )

    known = LTVModel(part("bg/nbd", BGNBD), part("gamma-gamma", SPEND), summary, 35.0)
    reported = totals(known, compress(summary), Terms(39, 0.0, 1.0, 0.9)).set_index("quantity")[:2]
    futures = simulate_futures(table, 2000, seed=1, horizon=39)
    sd, root = futures.std(axis=0), np.sqrt(len(futures))
    assert (np.abs(futures.mean(axis=0) - reported["estimate"]) < 4 * sd / root).all()
    spread = np.log(reported["high"] / reported["low"]) / (
        2 * norm.ppf(0.95)
    )  # of a lognormal total
    # the spread of 2,000 futures is known to ±1.6 % (purchases) and, with its longer tail, about ±2 % (spend)
    np.testing.assert_allclose(np.sqrt(np.expm1(spread**2)) * reported["estimate"], sd, rtol=0.07)
    below = (futures < reported["low"].to_numpy()).mean(axis=0)
    above = (futures > reported["high"].to_numpy()).mean(axis=0)
    np.testing.assert_allclose([below, above], 0.05, atol=0.02)


def test_parameter_uncertainty_widens_totals_as_much_as_the_covariance_says(
    customers: ls.Summary,
) -> None:
    counts = compress(customers)
    point, full = (
        totals(ls.fit(customers, method=method), counts, Terms(39)).set_index("quantity")
        for method in ("map", "laplace")
    )
    np.testing.assert_allclose(full["estimate"], point["estimate"], rtol=0.02)
    width = [np.log(t["high"] / t["low"]) for t in (point, full)]
    np.testing.assert_allclose(
        width[1], width[0], rtol=0.09
    )  # a spread of 1,000 draws is known to ±2.2 %
