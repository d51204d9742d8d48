"""Stages and their forecasts follow from the functions of the family, for every family."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.lifecycle import (
    stage_counts,
    stage_entry_dates,
    stage_forecast,
    stage_probabilities,
)
from lifestage.lifecycle.metrics.regularity import Regularity, purchase_windows
from tests.purchase_families import MODULES, known_model, registered

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS = {"drowsy_on": 0.70, "half_asleep_on": 0.45, "asleep_on": 0.20}
UNTIL = pd.Timestamp("1997-09-30")
HORIZON = 26.0


class Staged(NamedTuple):
    """The name of a family, a model of known parameters, and customers staged by it."""

    name: str
    model: ls.LTVModel
    customers: ls.Summary
    table: pd.DataFrame


@pytest.fixture(scope="module", params=MODULES)
def staged(
    request: pytest.FixtureRequest, model: ls.LTVModel, customers: ls.Summary
) -> Iterator[Staged]:
    some = replace(customers, table=customers.table.iloc[::6], customers=393)
    with registered(request.param):
        fitted = known_model(model, request.param)
        table = ls.assign_stages(fitted.predict(some, horizon=HORIZON))
        yield Staged(request.param, fitted, some, table)


def test_a_stage_is_entered_when_the_activity_ratio_falls_below_its_level(staged: Staged) -> None:
    dated = stage_entry_dates(staged.model, staged.table)
    params, window = staged.model.purchases.estimate, staged.customers.stage_window / 7.0
    for name, level in LEVELS.items():
        future = dated[dated[name] > UNTIL]
        x, t_x, T = (future[column].to_numpy(float) for column in ("frequency", "recency", "T"))
        fresh = MODULES[staged.name].p_purchase(window, x, t_x, t_x, **params)
        for day, below in ((0, True), (-1, False)):
            now = T + ((future[name] - UNTIL).dt.days.to_numpy() + day) / 7.0
            later = MODULES[staged.name].p_purchase(window, x, t_x, now, **params)
            assert ((later / fresh < level) == below).all()


def test_forecasts_have_the_totals_that_the_family_expects(staged: Staged) -> None:
    forecast = stage_forecast(staged.model, staged.table, horizon=HORIZON, points=2, scenarios=200)
    last = forecast.totals.iloc[-1]
    revenue = (staged.table["expected_purchases"] * staged.table["expected_spend"]).sum()
    expected = {"purchases": staged.table["expected_purchases"].sum(), "revenue": revenue}
    for name, total in expected.items():
        spread = (last[f"{name}_high"] - last[f"{name}_low"]) / (2 * 1.645)
        assert abs(last[name] - total) < 4.5 * spread / np.sqrt(200), name
        assert last[f"{name}_low"] < total < last[f"{name}_high"], name
    customers = forecast.stages.groupby(["taxonomy", "periods"])["customers"].sum()
    np.testing.assert_allclose(customers, len(staged.table))


def test_probabilities_of_stages_follow_the_silence(staged: Staged) -> None:
    """Over a day in which hardly anybody buys, a customer stands where the dates say."""
    table = staged.table
    day = stage_probabilities(staged.model, table, horizon=1 / 7, scenarios=200)
    dated = stage_entry_dates(staged.model, table).set_index("customer_id")
    likely = day.set_index("customer_id").filter(like="p_").idxmax(axis=1)
    asleep = dated["asleep_on"] <= UNTIL + pd.Timedelta(days=1)
    np.testing.assert_array_equal(likely.loc[asleep.index[asleep]], "p_asleep")
    assert (likely.loc[asleep.index[~asleep]] != "p_asleep").mean() > 0.98


def test_counts_of_stages_are_those_under_each_draw(staged: Staged) -> None:
    model = known_model(staged.model, staged.name, draws=3)
    table = ls.assign_stages(model.predict(staged.customers))
    counts = stage_counts(model, table, level=1 - 1e-12)
    line = counts[counts["taxonomy"] == "line"].set_index("stage")
    runs = []
    for i in range(3):
        draws = {name: values[[i]] for name, values in model.purchases.draws.items()}
        one = replace(model, purchases=replace(model.purchases, draws=draws))
        stages = ls.assign_stages(one.predict(staged.customers))["activity_stage"]
        runs.append(stages.value_counts())
    by_draw = pd.DataFrame(runs).fillna(0.0)
    for stage in by_draw:
        ends = by_draw[stage].min(), by_draw[stage].max()
        np.testing.assert_allclose(line.loc[stage, ["low", "high"]].astype(float), ends)


def test_windows_of_random_buyers_are_those_of_the_rate(staged: Staged) -> None:
    """With k = 1 a gap is Lomax in the rate right after the last purchase."""
    if not hasattr(MODULES[staged.name], "rate_shape"):
        windows = purchase_windows(staged.model, staged.table, Regularity(2, 2, 2, 9, 9, 0.9))
        assert (windows["window_distribution"] == "model").all()
        return
    buyers = staged.table[staged.table["frequency"] > 0].reset_index(drop=True)
    windows = purchase_windows(staged.model, buyers, Regularity(1.0, 2.0, 2.0, 9, 9, 0.9))
    params = staged.model.purchases.estimate
    shape = params["r"] + buyers["frequency"]
    scale = (params["alpha"] + buyers["recency"]) * 7.0
    silent, end = buyers["days_silent"], buyers["days_silent"] + HORIZON * 7.0

    def sf(time: pd.Series) -> pd.Series:
        return (1.0 + time / scale) ** -shape

    days = (windows["next_purchase_p50"] - UNTIL).dt.days
    within = sf(silent) - sf(end)
    assert ((sf(silent) - sf(silent + days)) / within > 0.5 - 1e-6).all()
    before = (sf(silent) - sf(silent + days - 1.0)) / within
    assert ((before < 0.5 + 1e-6) | (days == 1)).all()
