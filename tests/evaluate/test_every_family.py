"""Backtests of every family that can be fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import lifestage as ls
from lifestage.evaluate.forecasts import model_forecast
from tests.purchase_families import FITTED, MODULES, known_model, registered

if TYPE_CHECKING:
    import pandas as pd


@pytest.mark.parametrize("name", FITTED)
def test_a_backtest_fits_and_scores(cdnow: pd.DataFrame, name: str) -> None:
    some = cdnow[cdnow["customer_id"].isin(cdnow["customer_id"].unique()[::4])]
    with registered(name):
        test = ls.backtest(some, origins=["1997-09-30"], horizon=36, families=[name])
    row = test.table.set_index("forecast").loc[name]
    assert row["crps"] < row["mae"]  # of a point forecast they are equal
    assert row["auc"] > 0.6
    assert abs(row["bias"]) < 0.35
    assert row["coverage"] > 0.9
    assert row["spend_coverage"] > 0.85


@pytest.mark.parametrize("name", MODULES)
def test_the_score_of_counts_is_that_of_the_distribution(
    customers: ls.Summary, model: ls.LTVModel, name: str
) -> None:
    """Ranked probabilities by the definition: the sum of squared errors over all thresholds."""
    table = customers.table.sort_values("frequency").iloc[[0, 1200, 2000, 2250, 2356]]
    table = table.assign(purchases=[0.0, 1.0, 0.0, 3.0, 12.0], spent=0.0)
    with registered(name):
        known = known_model(model, name, draws=3)
        crps = model_forecast(known, customers, table, 39.0, 0.9)["crps"]
    params = known.purchases.columns()
    history = (table[column].to_numpy(float) for column in ("frequency", "recency", "T"))
    n = np.arange(1.0, 400.0)[:, None, None]
    more = MODULES[name].purchase_sf(n, 39.0, *history, **params).mean(axis=1)
    observed = table["purchases"].to_numpy() >= n[:, 0]
    np.testing.assert_allclose(crps, ((more - observed) ** 2).sum(axis=0), atol=1e-6)
