"""Intervals of fitted models, the uncertainty of their parameters included, on small, middling and large bases."""

from __future__ import annotations

import numpy as np
import pytest

import lifestage as ls
from lifestage.core.terms import Terms
from lifestage.data.customers.compress import compress
from lifestage.prediction.totals import totals
from tests.simulated import simulate_base

LEVEL, HORIZON = 0.8, 26.0


def outcomes(customers: int, seed: int) -> np.ndarray:
    """Counts of customers: tails of spend that can be missed and those missed, low and high; then purchases missed, low
    and high, and of how many; and whether the totals of the base are held.
    """
    base = simulate_base(customers, seed=seed, horizon=HORIZON)
    summary = ls.Summary.from_frame(base.table, period="week")
    model = ls.fit(summary, method="laplace", draws=200, seed=seed)
    scores = model.predict(summary, horizon=HORIZON, level=LEVEL, discount_rate=0.0).sort_values(
        "customer_id"
    )
    low, high = (scores[f"ltv_{end}"].to_numpy() for end in ("low", "high"))
    fewest, most = (scores[f"purchases_{end}"].to_numpy() for end in ("low", "high"))
    spent, bought = base.future_spend, base.future_purchases
    whole = totals(model, compress(summary), Terms(HORIZON, 0.0, 1.0, LEVEL)).set_index("quantity")
    held = [
        whole.loc[name, "low"] <= actual.sum() <= whole.loc[name, "high"]
        for name, actual in (("purchases", bought), ("revenue", spent))
    ]
    below, above = spent < low, spent > high
    found = [(low > 0).sum(), below.sum(), (high > 0).sum(), (above & (high > 0)).sum()]
    return np.array(
        [*found, (bought < fewest).sum(), (bought > most).sum(), customers, *held], float
    )


@pytest.mark.slow
@pytest.mark.parametrize(("customers", "bases"), [(200, 60), (2_000, 20), (50_000, 2)])
def test_intervals_cover_on_bases_of_every_size(customers: int, bases: int) -> None:
    """A tail of spend where it has no atom holds a tenth; one of purchases at most that; four fifths of totals hold."""
    found = sum(outcomes(customers, 100 + seed) for seed in range(bases))
    lows, below, highs, above, fewer, more, n, *held = found
    wide = {200: 0.03, 2_000: 0.02, 50_000: 0.015}[customers]
    assert below / lows == pytest.approx(0.1, abs=wide)
    assert above / highs == pytest.approx(0.1, abs=wide)
    assert max(fewer, more) / n < 0.1 + wide
    if bases >= 20:
        assert (
            np.abs(np.array(held) / bases - LEVEL) < 4 * np.sqrt(LEVEL * (1 - LEVEL) / bases)
        ).all()
