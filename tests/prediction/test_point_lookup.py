"""The tables of one draw against the code that serves many draws, and against exact mixtures by scipy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from scipy import special as sp

import lifestage as ls
from lifestage.core.terms import Terms
from lifestage.families import family
from lifestage.prediction import count_distribution, point_lookup, point_tables
from lifestage.prediction.point_lookup import point_scores
from lifestage.prediction.purchase_scores import scores_under_draws
from tests.purchase_families import MODULES, known_model, registered

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEND = {"usual": (6.25, 3.74, 15.4), "irregular": (1.2, 1.5, 20.0), "regular": (60.0, 12.0, 20.0)}
EXTREME = {
    "p at its upper bound": (1e6, 3.74, 1e-4),
    "p and q at their upper bounds": (1e6, 1e6, 10.0),
    "p at its lower bound": (1e-6, 3.0, 1e3),
    "q at its upper bound": (2.0, 1e6, 1e7),
    "no mean": (5.0, 0.01, 1.0),
    "nearly one price": (3000.0, 40.0, 0.3),
    "one price": (1e6, 1643.0, 0.0198),
    "mostly nothing": (0.05, 3.0, 1e3),
}
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
    draws = dict(zip("pqv", (np.array([v]) for v in (SPEND | EXTREME)[spend]), strict=True))
    return replace(model, spend=replace(model.spend, draws=draws))


@pytest.fixture(params=MODULES)
def fitted(request: pytest.FixtureRequest, model: ls.LTVModel) -> Iterator[ls.LTVModel]:
    with registered(request.param):
        yield known_model(model, request.param)


def size_of(model: ls.LTVModel) -> int:
    """Customers that tables are compared for: fewer where a family has no fast way to make them."""
    return 300 if hasattr(MODULES[model.purchases.family], "count_table") else 75


@pytest.mark.parametrize(
    "terms", [Terms(52), Terms(4, 0.0, level=0.5), Terms(150, 0.3, level=0.99)]
)
@pytest.mark.parametrize("spend", SPEND)
def test_tables_agree_with_the_way_of_many_draws(
    fitted: ls.LTVModel, spend: str, terms: Terms
) -> None:
    model, rows = with_spend(fitted, spend), histories(size_of(fitted), seed=3)
    found = point_scores(model, *rows, terms, WINDOW)
    expected = scores_under_draws(model, *rows, terms, WINDOW)
    assert set(found) == set(expected)
    for name, values in expected.items():
        rtol = 2e-4 if name.startswith("_factor") else 1e-8
        np.testing.assert_allclose(found[name], values, rtol=rtol, atol=1e-12, err_msg=name)
    assert (found["purchases_high"] > found["purchases_low"]).mean() > 1 / 6


def exact_quantile(
    model: ls.LTVModel, history: tuple[float, float, float], horizon: float, tail: float
) -> float:
    """Root of the exact mixture, by scipy; 0 where it lies below all that a double holds."""
    assert model.spend is not None
    (x, t_x, T), counts = history, np.arange(1.0, 3000.0)
    p, q = (model.spend.estimate[name] for name in "pq")
    module, params = family(model.purchases.family), model.purchases.estimate
    counts = counts[module.purchase_sf(counts, horizon, x, t_x, T, **params) > 1e-13]
    pmf = module.purchase_pmf(counts, horizon, x, t_x, T, **params)

    def excess(u: float) -> float:
        a, b = p * counts, q + p * x
        sf = sp.betainc(b, a, sp.expit(-u)) if u > 0 else sp.betaincc(a, b, sp.expit(u))
        return float(pmf @ sf) - tail

    lowest = -700.0
    if pmf.sum() <= tail or excess(lowest) <= 0.0:
        return 0.0
    return float(np.exp(optimize.brentq(excess, lowest, 700.0, xtol=1e-12)))


@pytest.mark.parametrize("horizon", [4, 52])
@pytest.mark.parametrize("spend", [*SPEND, *EXTREME])
@pytest.mark.parametrize("way", ["one draw", "many draws"])
def test_quantiles_of_spend_are_roots_of_the_exact_mixture(
    model: ls.LTVModel, spend: str, horizon: int, way: str
) -> None:
    model, (x, t_x, T) = with_spend(model, spend), histories(15, seed=5)
    score = point_scores if way == "one draw" else scores_under_draws
    found = score(model, x, t_x, T, Terms(horizon), WINDOW)
    for i in range(x.size):
        for name, tail in (("_factor_low", 0.95), ("_factor_high", 0.05)):
            exact = exact_quantile(model, (x[i], t_x[i], T[i]), horizon, tail)
            assert found[name][i] == pytest.approx(exact, rel=1e-4, abs=1e-50), (
                name,
                x[i],
                t_x[i],
                T[i],
            )


def test_a_thousand_purchases_have_the_quantiles_of_the_exact_mixture(model: ls.LTVModel) -> None:
    x, t_x, T = np.array([400.0, 900.0]), np.array([70.0, 69.0]), np.array([70.5, 70.0])
    for score in (point_scores, scores_under_draws):
        found = score(with_spend(model, "usual"), x, t_x, T, Terms(52), WINDOW)
        for i in range(x.size):
            for name, tail in (("_factor_low", 0.95), ("_factor_high", 0.05)):
                exact = exact_quantile(model, (x[i], t_x[i], T[i]), 52, tail)
                assert found[name][i] == pytest.approx(exact, rel=1e-4), (name, x[i])


def test_at_one_price_a_total_is_price_times_count() -> None:
    """A shop where everything costs 12, and a guest who comes every day."""
    rng, start = np.random.default_rng(0), pd.Timestamp("2022-01-01")
    days = [
        (i, int(day)) for i in range(150) for day in rng.integers(0, 365, int(rng.integers(1, 6)))
    ]
    days += [(150, day) for day in range(365)]
    orders = pd.DataFrame(days, columns=["customer_id", "day"]).drop_duplicates()
    orders["date"], orders["amount"] = start + pd.to_timedelta(orders.pop("day"), unit="D"), 12.0
    customers = ls.summarize(orders)
    model = ls.fit(customers)
    for horizon in (16, 36, 52, 64, 72, 92, 96):
        scores = model.predict(customers, horizon=horizon, discount_rate=0.0)
        assert np.isfinite(scores[["ltv_low", "ltv_high"]]).all(axis=None)
        back = scores[scores["frequency"] > 0]
        for end in ("low", "high"):
            np.testing.assert_allclose(
                back[f"ltv_{end}"], 12.0 * back[f"purchases_{end}"], rtol=5e-3
            )


def test_gone_for_good_beyond_all_doubles(model: ls.LTVModel) -> None:
    found = point_scores(
        model, np.array([5000.0]), np.array([10.0]), np.array([10_000.0]), Terms(52), WINDOW
    )
    assert found["p_alive"][0] == found["purchases_high"][0] == found["_factor_high"][0] == 0.0


def test_rows_do_not_depend_on_their_block(
    fitted: ls.LTVModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = histories(500, seed=7)
    whole = point_scores(fitted, *rows, Terms(52), WINDOW)
    monkeypatch.setattr(point_lookup, "ROWS_PER_BLOCK", 7)
    parts = point_scores(fitted, *rows, Terms(52), WINDOW)
    for name, values in whole.items():
        np.testing.assert_array_equal(parts[name], values)


def test_times_between_days_are_scored_alike(fitted: ls.LTVModel) -> None:
    x, t_x, T = histories(200, seed=9)
    off = point_scores(fitted, x, t_x, T + 1e-9, Terms(52), WINDOW)
    for name, values in point_scores(fitted, x, t_x, T, Terms(52), WINDOW).items():
        np.testing.assert_allclose(off[name], values, rtol=1e-6, atol=1e-9, err_msg=name)


def test_more_pairs_than_can_be_held_are_scored_in_parts(
    fitted: ls.LTVModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = histories(size_of(fitted), seed=7)
    whole = point_scores(fitted, *rows, Terms(52), WINDOW)
    monkeypatch.setattr(point_tables, "MAX_VALUES", 2_000)
    parts = point_scores(fitted, *rows, Terms(52), WINDOW)
    for name, values in whole.items():
        np.testing.assert_array_equal(parts[name], values)


def test_counts_beyond_all_tables_are_found_in_closed_form(
    fitted: ls.LTVModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = histories(size_of(fitted) // 5, seed=7)
    tables = point_scores(fitted, *rows, Terms(52), WINDOW)
    for module in (point_tables, count_distribution):
        monkeypatch.setattr(module, "LONGEST_TABLE", 40)
    closed = point_scores(fitted, *rows, Terms(52), WINDOW)
    for name, values in tables.items():
        np.testing.assert_allclose(closed[name], values, rtol=2e-4, err_msg=name)


def test_a_very_frequent_buyer_and_no_buyer_at_all(model: ls.LTVModel) -> None:
    columns = {
        "frequency": [9000, 0],
        "recency": [5000 / 7, 0.0],
        "T": [5001 / 7, 5001 / 7],
        "monetary_value": [9.0, 0],
    }
    scores = model.predict(pd.DataFrame(columns), horizon=52)
    assert np.isfinite(scores.select_dtypes("number").drop(columns="mean_gap_days")).all(axis=None)
    assert (
        scores["purchases_low"][0] < scores["expected_purchases"][0] < scores["purchases_high"][0]
    )


def test_without_spend_there_is_no_money(customers: ls.Summary) -> None:
    found = point_scores(ls.fit(customers, spend=None), *histories(50, seed=1), Terms(52), WINDOW)
    assert not [name for name in found if name.startswith("_")]
