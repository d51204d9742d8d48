"""The prior predictive: what the documented priors say, and free of units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import lifestage as ls
from lifestage.families import bgnbd

if TYPE_CHECKING:
    import pandas as pd


def test_prior_predictive_follows_the_documented_priors(customers: ls.Summary) -> None:
    model = ls.fit(customers, method="map")
    prior = model.prior_predictive(draws=20_000, seed=1)
    np.testing.assert_allclose(np.log(prior["r"]).mean(), np.log(0.5), atol=0.05)
    np.testing.assert_allclose(np.log(prior["a"] / prior["b"]).std(), 1.5, rtol=0.03)
    np.testing.assert_allclose(np.log(prior["a"] + prior["b"]).mean(), np.log(4), atol=0.05)
    time = float(customers.table["T"].mean())
    np.testing.assert_allclose(np.log(prior["r"] * time / prior["alpha"]).std(), 2.0, rtol=0.03)
    row = prior.iloc[7]
    params = {name: row[name] for name in bgnbd.PARAMS}
    np.testing.assert_allclose(
        row["repeat_rate"],
        1 - (params["alpha"] / (params["alpha"] + time)) ** params["r"],
        rtol=1e-9,
    )
    np.testing.assert_allclose(
        row["repeat_purchases"], bgnbd.expected_purchases(time, 0, 0, 0, **params), rtol=1e-12
    )


def test_prior_predictive_is_free_of_units(cdnow: pd.DataFrame) -> None:
    shares = [
        ls.fit(ls.summarize(cdnow, until="1997-09-30", period=period)).prior_predictive(seed=4)[
            ["repeat_rate", "dropout"]
        ]
        for period in ("week", "day")
    ]
    np.testing.assert_allclose(shares[0], shares[1], rtol=1e-6)
