"""A family is one module and one row: a toy that is registered at run time works like its sisters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.families import FAMILIES
from lifestage.fitting.mixture import stack_posteriors
from tests.families import toy
from tests.families.contract import CHECKS, Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "toy", toy)


@pytest.fixture(scope="module")
def base() -> ls.Summary:
    """Customers who buy and leave at rates of 0.2 and 0.05 a week."""
    rng = np.random.default_rng(3)
    world = toy.simulate_customers(rng, rng.integers(20, 60, 3000), lam=0.2, mu=0.05)
    columns = {"frequency": world["x"], "recency": world["t_x"], "T": world["T"]}
    table = pd.DataFrame({"customer_id": np.arange(3000), **columns, "monetary_value": 0.0})
    table.loc[table["frequency"] > 0, "monetary_value"] = rng.gamma(
        5.0, 4.0, (world["x"] > 0).sum()
    )
    return ls.Summary.from_frame(table, period="week")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_contract(check: Callable[[Case], None]) -> None:
    check(Case(toy, {"lam": 0.15, "mu": 0.04}))


@pytest.mark.parametrize("method", ["mle", "map", "laplace"])
def test_it_fits_predicts_and_is_saved(base: ls.Summary, method: str, tmp_path: Path) -> None:
    model = ls.fit(base, "toy", method=method, draws=60)
    assert model.converged
    assert model.purchases.estimate == pytest.approx({"lam": 0.2, "mu": 0.05}, rel=0.06)
    scores = model.predict(base, horizon=26)
    x, t_x, T = (scores[name].to_numpy() for name in ("frequency", "recency", "T"))
    expected = toy.expected_purchases(26.0, x, t_x, T, **model.purchases.estimate)
    np.testing.assert_allclose(
        scores["expected_purchases"], expected, rtol=1e-9 if method != "laplace" else 0.03
    )
    assert (scores["purchases_low"] <= scores["expected_purchases"]).all()
    assert (scores["purchases_high"] >= scores["purchases_low"]).all()
    assert (scores["ltv_low"] <= scores["ltv_high"]).all()
    again = ls.load(model.save(tmp_path / "model"))
    assert again.predict(base, horizon=26).equals(scores)


def test_a_stack_holds_it(base: ls.Summary) -> None:
    parts = {name: ls.fit(base, name, spend=None).purchases for name in ("toy", "bg/nbd")}
    even = stack_posteriors(parts, dict.fromkeys(parts, 0.5), {"log_likelihood": 0.0})
    stack = ls.LTVModel(even, None, base.without_customers(), float("nan"))
    mixed = stack.predict(base, horizon=26)["expected_purchases"]
    alone = [
        ls.LTVModel(part, None, stack.data, float("nan")).predict(base, horizon=26)
        for part in parts.values()
    ]
    mean = 0.5 * (alone[0]["expected_purchases"] + alone[1]["expected_purchases"])
    np.testing.assert_allclose(mixed, mean, rtol=1e-9)


def test_its_priors_are_drawn_from(base: ls.Summary) -> None:
    model = ls.fit(base, "toy", spend=None, method="map", priors={"dropouts": "Gamma(2, 2)"})
    prior = model.prior_predictive(4000)
    assert model.purchases.priors["dropouts"] == "Gamma(alpha=2, beta=2)"
    assert prior["mu"].mean() * base.table["T"].mean() == pytest.approx(1.0, rel=0.05)
