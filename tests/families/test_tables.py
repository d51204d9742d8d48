"""Tables of many states equal the family's own functions, state by state."""

from __future__ import annotations

import numpy as np
import pytest

from lifestage.families import bgnbd, mbgnbd
from lifestage.families.tables import TableLimits, count_table, purchase_table
from tests.purchase_families import MODULES, PARAMS


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
    for rate in (0.0, 0.002, 0.05):
        got = purchase_table(family, params, 52.0, x, T, rate)  # type: ignore[arg-type]
        np.testing.assert_allclose(got[0], expected, rtol=1e-9)
        discounted = family.alive_purchases(52.0, x, T, rate=rate, **params)  # type: ignore[attr-defined]
        np.testing.assert_allclose(got[1], discounted, rtol=1e-9)


@pytest.mark.parametrize("rate", [0.0, 0.002])
def test_draws_that_lie_far_apart_are_interpolated_as_well(rate: float) -> None:
    params = {name: np.array([[value]] * 2) for name, value in (("r", 0.4), ("a", 0.8), ("b", 2.4))}
    params["alpha"] = np.array([[0.1], [600.0]])
    x, T = np.repeat([0.0, 60.0], 500), np.tile(np.linspace(0, 700, 500), 2)
    got = purchase_table(bgnbd, params, 52.0, x, T, rate)
    for values, discount in zip(got, (0.0, rate), strict=True):
        np.testing.assert_allclose(
            values, bgnbd.alive_purchases(52.0, x, T, rate=discount, **params), rtol=1e-9
        )


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("horizon", [0.5, 52.0, 400.0])
def test_counts_of_many_states_are_those_of_each(name: str, horizon: float) -> None:
    module, rng = MODULES[name], np.random.default_rng(2)
    spread = np.exp(0.3 * rng.standard_normal((3, 1)))
    params = {parameter: value * spread for parameter, value in PARAMS[name].items()}
    x = np.array([0.0, 1.0, 1.0, 25.0, 900.0])
    T = np.array([0.0, 3.0, 80.0, 52.0, 104.0])
    table = count_table(module, params, horizon, x, T, TableLimits(1e-6, 400))
    for j in range(x.size):
        rows = table.survival[table.start[j] : table.start[j + 1]]
        n = np.arange(1.0, len(rows) + 1.0)[:, None]
        columns = {parameter: values[:, 0] for parameter, values in params.items()}
        expected = module.count_survival(n, horizon, x[j], T[j], **columns)
        np.testing.assert_allclose(rows, expected, rtol=1e-7, atol=1e-12)
        assert rows[-1].mean() <= 1e-6 or len(rows) == 400
        assert (rows[:-1].mean(axis=1) > 1e-6).all()
