"""The interpolated curves equal direct evaluation; posteriors of many draws average what one draw gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import lifestage as ls
from lifestage.core.terms import Terms
from lifestage.data.customers.compress import compress
from lifestage.families import bgnbd, mbgnbd
from lifestage.prediction.expected_purchases import alive_purchases, discounted_purchases
from lifestage.prediction.totals import totals


@pytest.mark.parametrize("family", [bgnbd, mbgnbd])
@pytest.mark.parametrize("alpha", [0.05, 4.4, 600.0])
@pytest.mark.parametrize("longest", [39.0, 5000.0])
def test_interpolation_in_T_is_exact_to_1e_9(family: object, alpha: float, longest: float) -> None:
    params = {
        "r": np.array([[0.24], [3.0]]),
        "alpha": np.array([[alpha]] * 2),
        "a": np.array([[0.8], [0.01]]),
        "b": np.array([[2.4], [30.0]]),
    }
    T = np.concatenate([np.linspace(0, longest, 300)] * 3)
    x = np.repeat([0.0, 2.0, 80.0], 300)
    expected = family.alive_purchases(52.0, x, T, rate=0.0, **params)  # type: ignore[attr-defined]
    np.testing.assert_allclose(alive_purchases(family, params, 52.0, x, T), expected, rtol=1e-9)  # type: ignore[arg-type]
    for rate in (0.0, 0.002, 0.05):
        got = discounted_purchases(family, params, 52.0, x, T, rate)  # type: ignore[arg-type]
        np.testing.assert_allclose(got[0], expected, rtol=1e-9)
        discounted = family.alive_purchases(52.0, x, T, rate=rate, **params)  # type: ignore[attr-defined]
        np.testing.assert_allclose(got[1], discounted, rtol=1e-9)


@pytest.mark.parametrize("rate", [0.0, 0.002])
def test_draws_that_lie_far_apart_are_interpolated_as_well(rate: float) -> None:
    params = {name: np.array([[value]] * 2) for name, value in (("r", 0.4), ("a", 0.8), ("b", 2.4))}
    params["alpha"] = np.array([[0.1], [600.0]])
    x, T = np.repeat([0.0, 60.0], 500), np.tile(np.linspace(0, 700, 500), 2)
    got = discounted_purchases(bgnbd, params, 52.0, x, T, rate)
    for values, discount in zip(got, (0.0, rate), strict=True):
        np.testing.assert_allclose(
            values, bgnbd.alive_purchases(52.0, x, T, rate=discount, **params), rtol=1e-9
        )


def test_predictions_from_draws_are_the_mean_of_predictions_from_each(
    model: ls.LTVModel, customers: ls.Summary
) -> None:
    rng = np.random.default_rng(3)
    several = {
        name: replace(
            part, draws={k: v * np.exp(0.1 * rng.standard_normal(5)) for k, v in part.draws.items()}
        )
        for name, part in model.parts.items()
    }
    mixed = replace(model, **several).predict(customers)
    each = [
        replace(
            model,
            **{
                n: replace(p, draws={k: v[[i]] for k, v in p.draws.items()})
                for n, p in several.items()
            },
        ).predict(customers)
        for i in range(5)
    ]
    for name in (
        "p_alive",
        "p_purchase",
        "expected_purchases",
        "p_window",
        "p_window_fresh",
        "expected_spend",
        "ltv",
    ):
        np.testing.assert_allclose(
            mixed[name], np.mean([s[name] for s in each], axis=0), rtol=1e-9, err_msg=name
        )
    for name in ("purchases_high", "ltv_high"):
        assert (mixed[name] >= np.min([s[name] for s in each], axis=0) * 0.98 - 1e-9).all()
        assert (mixed[name] <= np.max([s[name] for s in each], axis=0) * 1.02 + 1e-9).all()


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
