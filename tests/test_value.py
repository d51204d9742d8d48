"""Totals of a base: the sum of its customers, with intervals that cover what comes."""

from __future__ import annotations

import numpy as np
import pytest

import lifestage as ls
from lifestage.data.compress import compress
from lifestage.value import Terms, totals
from tests.simulated import simulate_base


def test_totals_are_the_sums_of_the_scores(model: ls.LTVModel, customers: ls.Summary) -> None:
    scores = model.predict(customers, horizon=39, discount_rate=0.15, margin=0.4)
    table = totals(model, compress(customers), Terms(39, 0.15, 0.4)).set_index("quantity")
    assert table.loc["purchases", "estimate"] == pytest.approx(scores["expected_purchases"].sum(), rel=1e-9)
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
        table = totals(ls.fit(summary), compress(summary), Terms(26, 0.0, 1.0, 0.8)).set_index("quantity")
        for i, (name, actual) in enumerate((("purchases", base.future_purchases), ("revenue", base.future_spend))):
            hits[i] += table.loc[name, "low"] <= actual.sum() <= table.loc[name, "high"]
    assert (np.abs(hits / 60 - 0.8) < 4 * np.sqrt(0.16 / 60)).all(), hits


def test_variance_of_purchases_is_that_of_simulated_futures() -> None:
    """With known parameters, the spread of totals over repeated futures equals the reported process spread."""
    from lifestage.model import LTVModel
    from lifestage.posterior import Posterior, Status
    from tests.simulated import BGNBD, SPEND

    actual, reported = [], []
    for seed in range(40):
        base = simulate_base(600, seed=500 + seed, horizon=39)
        summary = ls.Summary.from_frame(base.table, period="week")

        def part(family: str, params: dict[str, float]) -> Posterior:
            return Posterior(family, "known", {k: np.array([v]) for k, v in params.items()}, Status(True))

        known = LTVModel(part("bg/nbd", BGNBD), part("gamma-gamma", SPEND), summary, 35.0)
        table = totals(known, compress(summary), Terms(39, 0.0, 1.0, 0.6826895)).set_index("quantity")
        sd = np.log(table["high"] / table["estimate"]) * table["estimate"]
        future = np.array([base.future_purchases.sum(), base.future_spend.sum()])
        actual.append((future - table["estimate"].to_numpy()[:2]) / sd.to_numpy()[:2])
        reported.append(sd)
    z = np.array(actual)
    assert (np.abs(z.mean(axis=0)) < 4 / np.sqrt(40)).all()
    np.testing.assert_allclose(z.std(axis=0), 1.0, atol=0.45)
