"""The tables of one draw against the code that serves many draws, and against exact mixtures by scipy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from scipy import special as sp

import lifestage as ls
from lifestage import point
from lifestage.families import family
from lifestage.point import point_scores
from lifestage.prediction import _scores
from lifestage.value import Terms

SPEND = {"usual": (6.25, 3.74, 15.4), "irregular": (1.2, 1.5, 20.0), "regular": (60.0, 12.0, 20.0)}
WINDOW = 11.0


def histories(n: int, seed: int, most: int = 130) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequency, recency and T in weeks, whole days, for base sizes of a few years."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([np.arange(12), rng.integers(0, most, n - 12)]).astype(float)
    days = rng.integers(60, 728, n)
    recent = np.where(x > 0, np.floor(days * rng.uniform(0.5, 1.0, n)), 0.0)
    return x, recent / 7, days / 7


def with_spend(model: ls.LTVModel, spend: str) -> ls.LTVModel:
    assert model.spend is not None
    draws = dict(zip("pqv", (np.array([v]) for v in SPEND[spend]), strict=True))
    return replace(model, spend=replace(model.spend, draws=draws))


@pytest.fixture(scope="module", params=["bg/nbd", "mbg/nbd"])
def fitted(request: pytest.FixtureRequest, customers: ls.Summary) -> ls.LTVModel:
    return ls.fit(customers, purchases=request.param)


@pytest.mark.parametrize("terms", [Terms(52), Terms(4, 0.0, level=0.5), Terms(150, 0.3, level=0.99)])
@pytest.mark.parametrize("spend", SPEND)
def test_tables_agree_with_the_way_of_many_draws(fitted: ls.LTVModel, spend: str, terms: Terms) -> None:
    model, rows = with_spend(fitted, spend), histories(300, seed=3)
    found = point_scores(model, *rows, terms, WINDOW)
    expected = _scores(model, *rows, terms, WINDOW)
    assert found is not None
    assert set(found) == set(expected)
    for name, values in expected.items():
        rtol = 5e-3 if name.startswith("_factor") else 1e-8
        np.testing.assert_allclose(found[name], values, rtol=rtol, atol=1e-12, err_msg=name)
    assert (found["purchases_high"] > found["purchases_low"]).sum() > 50


@pytest.mark.parametrize("horizon", [4, 52])
@pytest.mark.parametrize("spend", SPEND)
def test_quantiles_of_spend_are_roots_of_the_exact_mixture(fitted: ls.LTVModel, spend: str, horizon: int) -> None:
    model, (x, t_x, T) = with_spend(fitted, spend), histories(30, seed=5)
    found = point_scores(model, x, t_x, T, Terms(horizon), WINDOW)
    module, params, (p, q, _) = family(model.purchases.family), model.purchases.estimate, SPEND[spend]
    counts = np.arange(1.0, 4000.0)
    assert found is not None
    for i in range(x.size):
        pmf = module.purchase_pmf(counts, horizon, x[i], t_x[i], T[i], **params)
        for name, tail in (("_factor_low", 0.95), ("_factor_high", 0.05)):
            exact = 0.0
            if pmf.sum() > tail:

                def excess(u: float, i: int = i, pmf: np.ndarray = pmf, tail: float = tail) -> float:
                    return float(pmf @ sp.betainc(q + p * x[i], p * counts, 1 / (1 + np.exp(u)))) - tail

                exact = float(np.exp(optimize.brentq(excess, -30, 30, xtol=1e-12)))
            assert found[name][i] == pytest.approx(exact, rel=2e-3), (name, x[i], t_x[i], T[i])


def test_rows_do_not_depend_on_their_block(fitted: ls.LTVModel, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = histories(500, seed=7)
    whole = point_scores(fitted, *rows, Terms(52), WINDOW)
    monkeypatch.setattr(point, "BLOCK", 7)
    parts = point_scores(fitted, *rows, Terms(52), WINDOW)
    assert whole is not None
    assert parts is not None
    for name, values in whole.items():
        np.testing.assert_array_equal(parts[name], values)


def test_times_between_days_are_scored_one_by_one(model: ls.LTVModel) -> None:
    x, t_x, T = histories(200, seed=9)
    assert point_scores(model, x, t_x, T + 0.001, Terms(52), WINDOW) is None
    columns = {"frequency": x.astype(int), "recency": t_x, "T": T + 0.001, "monetary_value": 30.0 * (x > 0)}
    off = model.predict(pd.DataFrame(columns))
    near = model.predict(pd.DataFrame(columns | {"T": T}))
    np.testing.assert_allclose(off["ltv"], near["ltv"], rtol=0.01)
    assert list(off.columns) == list(near.columns)


def test_a_very_frequent_buyer_and_no_buyer_at_all(model: ls.LTVModel) -> None:
    columns = {
        "frequency": [9000, 0],
        "recency": [5000 / 7, 0.0],
        "T": [5001 / 7, 5001 / 7],
        "monetary_value": [9.0, 0],
    }
    scores = model.predict(pd.DataFrame(columns), horizon=52)
    assert np.isfinite(scores.select_dtypes("number").drop(columns="mean_gap_days")).all(axis=None)
    assert scores["purchases_low"][0] < scores["expected_purchases"][0] < scores["purchases_high"][0]


def test_without_spend_there_is_no_money(customers: ls.Summary) -> None:
    found = point_scores(ls.fit(customers, spend=None), *histories(50, seed=1), Terms(52), WINDOW)
    assert found is not None
    assert not [name for name in found if name.startswith("_")]
