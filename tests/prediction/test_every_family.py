"""What a prediction says follows from the functions of the family, for every family and any number of draws."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

import lifestage as ls
from lifestage.core.terms import Terms
from lifestage.data.customers.compress import compress
from lifestage.prediction.distributions import predictive_distributions
from lifestage.prediction.histories import alive_matrix, history_alive, purchases_matrix
from lifestage.prediction.totals import totals
from tests.purchase_families import MODULES, known_model, registered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import pandas as pd

HORIZON, RATE = 39.0, 0.12


class Case(NamedTuple):
    """A model, customers, their scores, and the family with its parameters of shape (draws, 1)."""

    model: ls.LTVModel
    customers: ls.Summary
    scores: pd.DataFrame
    module: ModuleType
    params: dict[str, Any]

    @property
    def history(self) -> tuple[Any, Any, Any]:
        return tuple(self.scores[name].to_numpy(float) for name in ("frequency", "recency", "T"))  # type: ignore[return-value]


@pytest.fixture(scope="module", params=[(name, draws) for name in MODULES for draws in (1, 5)])
def case(
    request: pytest.FixtureRequest, model: ls.LTVModel, customers: ls.Summary
) -> Iterator[Case]:
    name, draws = request.param
    some = replace(customers, table=customers.table.iloc[::30], customers=79)
    with registered(name):
        fitted = known_model(model, name, draws)
        scores = fitted.predict(some, horizon=HORIZON, discount_rate=RATE, level=0.8)
        yield Case(fitted, some, scores, MODULES[name], fitted.purchases.columns())


def test_expectations_are_means_over_the_draws(case: Case) -> None:
    module, params, scores = case.module, case.params, case.scores
    delta = np.log1p(RATE) * 7 / 365.25
    discounted = module.discounted_purchases(HORIZON, *case.history, rate=delta, **params)
    expected = {
        "p_alive": module.p_alive(*case.history, **params),
        "p_purchase": module.p_purchase(HORIZON, *case.history, **params),
        "expected_purchases": module.expected_purchases(HORIZON, *case.history, **params),
        "ltv": discounted * scores["expected_spend"].to_numpy(),
        "p_window": module.p_purchase(case.customers.stage_window / 7.0, *case.history, **params),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(scores[name], values.mean(axis=0), rtol=1e-8, err_msg=name)


def test_intervals_of_purchases_are_quantiles_of_the_mixture(case: Case) -> None:
    counts = np.arange(1.0, 300.0)[:, None, None]
    sf = case.module.purchase_sf(counts, HORIZON, *case.history, **case.params).mean(axis=1)
    for name, tail in (("purchases_low", 0.9), ("purchases_high", 0.1)):
        np.testing.assert_array_equal(case.scores[name], (sf > tail).sum(axis=0), err_msg=name)


def test_intervals_of_purchases_and_spend_hold_simulated_futures(case: Case) -> None:
    """Of customers who will hardly buy an end is at 0; of the others the tails hold what they promise."""
    rng, times = np.random.default_rng(3), 4000
    spend = case.model.spend.estimate  # type: ignore[union-attr]
    busy = case.scores.nlargest(3, "expected_purchases")
    for _, row in busy.iterrows():
        draw = rng.integers(case.model.purchases.size, size=times)
        params = {name: values[draw, 0] for name, values in case.params.items()}
        x = np.full(times, row["frequency"])
        history = x, np.full(times, row["recency"]), np.full(times, row["T"])
        future = case.module.simulate_future(rng, [HORIZON], *history, **params)
        bought = future["x"][:, 0] - x
        error = 4.5 * np.sqrt(0.1 * 0.9 / times)
        assert np.mean(bought > row["purchases_high"]) <= 0.1 + error
        assert np.mean(bought >= row["purchases_high"]) >= 0.1 - error
        assert bought.mean() == pytest.approx(
            row["expected_purchases"], abs=4.5 * bought.std() / np.sqrt(times)
        )
        money = spend["v"] + row["frequency"] * row["monetary_value"]
        level = rng.gamma(spend["q"] + spend["p"] * x, 1.0 / money)
        spent = np.where(bought > 0, rng.gamma(spend["p"] * np.maximum(bought, 1)) / level, 0.0)
        # the interval discounts total spend at the customer's expected timing
        factor = row["ltv"] / (row["expected_spend"] * row["expected_purchases"])
        for name, share in (("ltv_low", 0.1), ("ltv_high", 0.9)):
            assert np.mean(spent * factor <= row[name]) == pytest.approx(share, abs=error), name


def test_waits_are_quantiles_of_the_mixture(case: Case) -> None:
    dates = case.scores[["next_purchase_p25", "next_purchase_p50", "next_purchase_p75"]]
    until = np.datetime64("1997-09-30")
    within = case.module.p_purchase(HORIZON, *case.history, **case.params).mean(axis=0)
    for share, (_, column) in zip((0.25, 0.5, 0.75), dates.items(), strict=True):
        days = (column.to_numpy() - until) / np.timedelta64(1, "D")
        by, before = (
            case.module.p_purchase(time / 7.0, *case.history, **case.params).mean(axis=0)
            for time in (days, days - 1.0)
        )
        assert (by >= share * within * (1.0 - 1e-9)).all()
        assert ((before <= share * within) | (days == 1.0)).all()


def test_draws_totals_and_new_customers_agree_with_the_scores(case: Case) -> None:
    terms = {"horizon": HORIZON, "discount_rate": RATE}
    draws = case.model.predict_draws(case.customers, **terms)
    for name in ("p_alive", "p_purchase", "expected_purchases", "ltv"):
        mean = draws[name].mean("draw").to_numpy()
        np.testing.assert_allclose(mean, case.scores[name], rtol=1e-8, err_msg=name)
    table = totals(case.model, compress(case.customers), Terms(HORIZON, RATE)).set_index("quantity")
    for quantity, name in (("purchases", "expected_purchases"), ("ltv", "ltv")):
        total = case.scores[name].sum()
        assert table.loc[quantity, "estimate"] == pytest.approx(total, rel=1e-8)
        assert table.loc[quantity, "low"] < total < table.loc[quantity, "high"]
    new = ls.new_customers(case.model, **terms).set_index("quantity")
    expected = case.module.expected_purchases(HORIZON, 0, 0, 0, **case.params).mean()
    assert new.loc["repeat_purchases", "estimate"] == pytest.approx(expected, rel=1e-8)
    many = ls.new_customers(case.model, 50, **terms).set_index("quantity")
    assert many.loc["ltv", "low"] < 50 * new.loc["ltv", "estimate"] < many.loc["ltv", "high"]


def test_tables_of_histories_are_those_of_the_family(case: Case) -> None:
    alive = alive_matrix(case.model, T=30.0, max_frequency=3)
    purchases = purchases_matrix(case.model, T=30.0, horizon=10, max_frequency=3)
    recency = alive.columns[20]
    history = 2.0, recency, 30.0
    p_alive = case.module.p_alive(*history, **case.params).mean()
    expected = case.module.expected_purchases(10.0, *history, **case.params).mean()
    assert alive.loc[2, recency] == pytest.approx(p_alive)
    assert purchases.loc[2, recency] == pytest.approx(expected)
    days = history_alive(case.model, ["1997-05-01", "1997-06-01"], until="1997-07-01", window=14)
    last = 1.0, 31 / 7.0, 61 / 7.0
    now = case.module.p_purchase(2.0, *last, **case.params).mean()
    assert days["p_purchase"].iloc[-1] == pytest.approx(now)


def test_distributions_are_those_of_the_family(case: Case) -> None:
    x, t_x, T = case.history
    alive = np.broadcast_to(
        case.module.p_alive(x, t_x, T, **case.params), (case.model.purchases.size, x.size)
    )
    for part in predictive_distributions(case.module, case.params, alive, HORIZON, x, T):
        n, rows = part.counts[:, None, None], part.rows
        sf = case.module.purchase_sf(n + 1.0, HORIZON, x[rows], t_x[rows], T[rows], **case.params)
        np.testing.assert_allclose(part.more, sf.mean(axis=1).T, atol=1.5e-7)
