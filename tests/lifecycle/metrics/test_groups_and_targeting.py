"""Totals by group, limits of what customers may cost, and whom a budget goes to."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.terms import Terms
from lifestage.data.customers.compress import compress
from lifestage.lifecycle import (
    acquisition_limits,
    allocate_budget,
    base_metrics,
    break_even,
    by_group,
    group_totals,
    payback,
    realised_repurchase,
)
from lifestage.prediction.totals import totals


@pytest.fixture(scope="module")
def staged(model: ls.LTVModel, customers: ls.Summary) -> pd.DataFrame:
    return ls.assign_stages(model.predict(customers, margin=0.3))


@pytest.mark.parametrize("by", ["cohort", "activity_stage", "at_risk"])
def test_groups_add_up_to_the_scores_and_the_totals(
    model: ls.LTVModel, customers: ls.Summary, staged: pd.DataFrame, by: str
) -> None:
    table = group_totals(model, staged, by, margin=0.3).set_index("group")
    parts = table.drop("total")
    np.testing.assert_allclose(
        parts[["customers", "past_revenue", "purchases", "ltv"]].sum(),
        table.loc["total", ["customers", "past_revenue", "purchases", "ltv"]].astype(float),
    )
    keys = {
        "cohort": staged["first_purchase"].dt.strftime("%Y-%m"),
        "at_risk": staged["at_risk"].map({True: "yes", False: "no"}),
    }.get(by, staged["activity_stage"])
    np.testing.assert_allclose(parts["ltv"], staged.groupby(keys)["ltv"].sum()[parts.index])
    np.testing.assert_allclose(
        parts["past_revenue"], staged.groupby(keys)["revenue"].sum()[parts.index]
    )
    whole = totals(model, compress(customers), Terms(52, margin=0.3)).set_index("quantity")
    np.testing.assert_allclose(table.loc["total", "ltv_low"], whole.loc["ltv", "low"])
    relation = duckdb.connect().from_df(staged)
    pd.testing.assert_frame_equal(
        group_totals(model, relation, by, margin=0.3), table.reset_index(), rtol=1e-9
    )


def test_groups_that_are_not_there(model: ls.LTVModel, staged: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="columns missing: shop"):
        group_totals(model, staged, "shop")
    with pytest.raises(ConfigError, match="first_purchase or cohort"):
        group_totals(model, staged.drop(columns="first_purchase"))
    with pytest.raises(DataError, match="at most 200 groups"):
        group_totals(model, staged, "customer_id")
    some = staged.assign(channel=np.where(staged["customer_id"] % 2, "web", None))
    assert group_totals(model, some, "channel")["group"].tolist() == ["unknown", "web", "total"]


def test_limits_of_acquisition(model: ls.LTVModel, staged: pd.DataFrame) -> None:
    careful, even = (acquisition_limits(model, staged, quantile=q, margin=0.3) for q in (0.05, 0.5))
    assert (careful["max_cac"] < even["max_cac"]).all()
    np.testing.assert_allclose(
        careful["max_cac"], careful["worth_low"], rtol=1e-6
    )  # .05 is the low end at level .9
    worth = 0.3 * staged["revenue"].mean() + staged["ltv"].mean()
    np.testing.assert_allclose(even["worth"].iloc[-1], worth)
    dear = {"1997-01": 10.0, "1997-02": 40.0, "1997-03": 20.0}
    table = acquisition_limits(model, staged, margin=0.3, cac=dear)
    assert table["pays"].tolist()[:3] == [True, False, True]
    np.testing.assert_allclose(table["ltv_to_cac"], table["worth"] / table["cac"])
    weights = table["customers"][:3]
    assert table["cac"].iloc[-1] == pytest.approx(np.average(list(dear.values()), weights=weights))
    with pytest.raises(DataError, match="expected the column revenue"):
        acquisition_limits(model, staged.drop(columns="revenue"), margin=0.3)


def test_payback_is_when_the_earnings_of_a_cohort_reach_the_cost(model: ls.LTVModel) -> None:
    found = payback(model, 15.0, margin=0.3)
    assert 0 < found["low"] < found["month"] < found["high"]
    weeks = found["month"] * 30.4375 / 7
    assert ls.new_customers(model, horizon=weeks, margin=0.3)["estimate"].iloc[-1] == pytest.approx(
        15.0, rel=0.01
    )
    assert payback(model, 1.0, margin=0.3)["month"] == 0.0
    never = payback(model, 500.0, margin=0.3)
    assert never["month"] == np.inf
    assert never["earned"] < 0.1
    with pytest.raises(ConfigError, match="amount above 0"):
        payback(model, 0.0)


def test_break_even_is_where_the_gain_is_nothing(staged: pd.DataFrame) -> None:
    table = break_even(staged, 2.0, uplift=0.2)
    fresh = table["ltv"] + table["value_lost"]
    np.testing.assert_allclose(table["break_even_uplift"] * (1 - table["p_purchase"]) * fresh, 2.0)
    inside = table[(table["largest_discount"] > 0) & (table["largest_discount"] < 1)]
    p, won = inside["p_purchase"], 0.2 * (1 - inside["p_purchase"])
    given = (p + won) * inside["largest_discount"] * inside["expected_spend"]
    np.testing.assert_allclose(
        won * (inside["ltv"] + inside["value_lost"]) - 2.0 - given, 0, atol=1e-9
    )
    assert len(inside) > 100
    other = break_even(duckdb.connect().from_df(staged), {"drowsy": 2.0}).df()
    assert (other["break_even_uplift"].notna() == (other["activity_stage"] == "drowsy")).all()
    with pytest.raises(ConfigError, match="cost must be an amount"):
        break_even(staged, -1.0)


def test_a_budget_goes_where_it_gains_most(staged: pd.DataFrame) -> None:
    chosen = allocate_budget(staged, 100.0, 1.0, 0.1)
    gain = 0.1 * (1 - staged["p_purchase"]) * (staged["ltv"] + staged["value_lost"]) - 1.0
    best = gain[gain > 0].sort_values(ascending=False).head(100)
    assert len(chosen) == 100
    np.testing.assert_allclose(chosen["expected_gain"].sum(), best.sum())
    assert chosen["spent"].iloc[-1] == 100.0
    relation = duckdb.connect().from_df(staged)
    pd.testing.assert_frame_equal(
        allocate_budget(relation, 100.0, 1.0, 0.1).df(), chosen, check_dtype=False, rtol=1e-9
    )
    stages = {"drowsy": 0.2, "half_asleep": 0.1}
    some = allocate_budget(staged, 50.0, {"drowsy": 2.0, "half_asleep": 0.5}, stages)
    assert set(some["activity_stage"]) <= set(stages)
    assert some["spent"].iloc[-1] <= 50.0
    assert not len(allocate_budget(staged, 0.0, 1.0, 0.1))
    assert not len(allocate_budget(staged, 100.0, 1e9, 0.1))


def test_any_table_can_be_made_by_group(customers: ls.Summary, staged: pd.DataFrame) -> None:
    table = by_group(staged, "cohort", lambda part: realised_repurchase(part, customers))
    parts = table[(table["taxonomy"] == "line") & (table["group"] != "total")]
    total = table[(table["taxonomy"] == "line") & (table["group"] == "total")].set_index("stage")
    sums = parts.groupby("stage")[["customers", "buyers"]].sum()
    assert (sums.loc[total.index] == total[["customers", "buyers"]]).all(axis=None)
    other = by_group(
        duckdb.connect().from_df(staged), "activity_stage", lambda part: base_metrics(part)
    )
    assert other.loc[other["group"] != "total", "customers"].sum() == len(staged)
    assert other["group"].iloc[-1] == "total"
