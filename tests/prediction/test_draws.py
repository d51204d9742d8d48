"""Predictions under each draw, and customers yet to come, against the means and against simulation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.families import gammagamma
from lifestage.fitting.posterior import Posterior, Status
from lifestage.model import LTVModel
from tests.purchase_families import MODULES, PARAMS, registered
from tests.simulated import SPEND

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture(scope="module")
def posterior(customers: ls.Summary) -> ls.LTVModel:
    return ls.fit(customers, method="laplace", draws=150, seed=3)


def test_means_over_draws_are_the_predictions(
    posterior: ls.LTVModel, customers: ls.Summary
) -> None:
    draws = posterior.predict_draws(customers, horizon=26)
    assert draws["ltv"].dims == ("draw", "customer")
    assert draws["ltv"].shape == (150, 2357)
    scores = posterior.predict(customers, horizon=26).set_index("customer_id")
    for name in ("p_alive", "p_purchase", "expected_purchases", "expected_spend", "ltv"):
        mean = draws[name].mean("draw").to_series()
        np.testing.assert_allclose(mean.loc[scores.index], scores[name], rtol=1e-9, err_msg=name)


def test_one_draw_is_a_point(model: ls.LTVModel, staged: pd.DataFrame) -> None:
    few = staged[["customer_id", "frequency", "recency", "T", "monetary_value"]].head(5)
    draws = model.predict_draws(few)
    assert draws.sizes == {"draw": 1, "customer": 5}
    np.testing.assert_allclose(draws["ltv"][0], staged["ltv"].head(5), rtol=1e-9)


def test_too_many_values_are_refused(
    posterior: ls.LTVModel, customers: ls.Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifestage.prediction.draws.MAX_VALUES", 1000)
    with pytest.raises(ConfigError, match="thin the model"):
        posterior.predict_draws(customers)


def known(family: str, customers: ls.Summary) -> LTVModel:
    def part(name: str, params: dict[str, float]) -> Posterior:
        return Posterior(name, "known", {k: np.array([v]) for k, v in params.items()}, Status(True))

    return LTVModel(
        part(family, PARAMS[family]),
        part("gamma-gamma", SPEND),
        replace(customers, table=None),
        35.0,
    )


@pytest.mark.parametrize("family", MODULES)
def test_new_customers_are_those_of_a_simulation(family: str, customers: ls.Summary) -> None:
    n, cohorts = 40, 3000
    rng, observed = np.random.default_rng(1), np.full(n * cohorts, 52.0)
    sim = MODULES[family].simulate_customers(rng, observed, **PARAMS[family])
    spend = gammagamma.simulate(1 + sim["x"], seed=2, **SPEND)
    money = (1 + sim["x"]) * spend["m"]
    terms = {"level": 0.8, "discount_rate": 0.0}
    with registered(family):
        one = ls.new_customers(known(family, customers), **terms).set_index("quantity")
        many = ls.new_customers(known(family, customers), n, **terms).set_index("quantity")
    assert one.loc["repeat_purchases", "estimate"] == pytest.approx(sim["x"].mean(), rel=0.03)
    assert one.loc["ltv", "estimate"] == pytest.approx(money.mean(), rel=0.03)
    assert many.loc["ltv", "estimate"] == pytest.approx(n * one.loc["ltv", "estimate"])
    assert np.mean(sim["x"] > one.loc["repeat_purchases", "high"]) <= 0.1
    for name, total in (("repeat_purchases", sim["x"]), ("ltv", money)):
        sums = total.reshape(cohorts, n).sum(axis=1)
        covered = np.mean((sums >= many.loc[name, "low"]) & (sums <= many.loc[name, "high"]))
        assert covered == pytest.approx(0.8, abs=0.06), name


def test_new_customers_of_cdnow(model: ls.LTVModel) -> None:
    table = ls.new_customers(model, horizon=52).set_index("quantity")
    assert table.loc["repeat_purchases", "estimate"] == pytest.approx(1.444, abs=0.002)  # published
    with pytest.raises(ConfigError, match="1 customer or more"):
        ls.new_customers(model, 0)
