"""Two runs beside each other: who moved, and why the value of the base is another."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import ltv_change, moved_customers, stage_migration

Run = tuple[ls.Summary, ls.LTVModel, pd.DataFrame]


def run(orders: pd.DataFrame, until: str) -> Run:
    customers = ls.summarize(orders, until=until, period="week")
    model = ls.fit(customers)
    return customers, model, ls.assign_stages(model.predict(customers), tiers="cumulative")


@pytest.fixture(scope="module")
def runs(cdnow: pd.DataFrame) -> tuple[Run, Run]:
    return run(cdnow, "1997-03-10"), run(cdnow[cdnow["customer_id"] > 20], "1997-12-31")


def test_transitions_add_up(runs: tuple[Run, Run]) -> None:
    before, after = runs[0][2], runs[1][2]
    table = stage_migration(before, after)
    came = table.groupby("before")["customers"].sum()
    went = table.groupby("after")["customers"].sum()
    assert came.drop("absent").to_dict() == before["activity_stage"].value_counts().to_dict()
    assert went.drop("absent").to_dict() == after["activity_stage"].value_counts().to_dict()
    assert came["absent"] == (~after["customer_id"].isin(before["customer_id"])).sum() > 0
    assert went["absent"] == (~before["customer_id"].isin(after["customer_id"])).sum() > 0
    np.testing.assert_allclose(table.groupby("before")["share"].sum().drop("absent"), 1)
    back = table[table["reactivated"]]
    assert set(zip(back["before"], back["after"], strict=True)) <= {
        ("half_asleep", "active"),
        ("asleep", "active"),
    }
    relations = [
        duckdb.from_df(each[["customer_id", "activity_stage"]]) for each in (before, after)
    ]
    pd.testing.assert_frame_equal(stage_migration(*relations), table)


def test_promotions_and_demotions(runs: tuple[Run, Run]) -> None:
    moved = moved_customers(runs[0][2], runs[1][2]).set_index("customer_id")
    rank = {"high": 0, "mid": 1, "budget": 2}
    both = moved[moved["move"].isin(["up", "down"])]
    assert ((both["after"].map(rank) < both["before"].map(rank)) == (both["move"] == "up")).all()
    assert (moved.loc[moved["before"] == "absent", "move"] == "new").all()
    assert (moved.loc[moved["after"] == "absent", "move"] == "gone").all()
    assert len(both) > 100


@pytest.mark.parametrize(
    ("column", "before", "after", "moves"),
    [
        ("activity_stage", ["active", "asleep"], ["drowsy", "drowsy"], ["down", "up"]),
        ("value_segment", ["champion", "at_risk"], ["loyal", "recent"], ["down", "up"]),
        ("stage_tempo", ["a", "c"], ["b", "b"], ["down", "up"]),
    ],
)
def test_up_and_down_follow_the_order_of_the_stages(
    column: str, before: list[str], after: list[str], moves: list[str]
) -> None:
    tables = [pd.DataFrame({"customer_id": [1, 2], column: keys}) for keys in (before, after)]
    assert moved_customers(*tables, column=column)["move"].tolist() == moves


def test_the_steps_add_up_to_the_change(runs: tuple[Run, Run]) -> None:
    (early, first, _), (late, second, _) = runs
    table = ltv_change(first, early, second, late, margin=0.4).set_index("step")["ltv"]
    assert abs(table.iloc[:-1].sum() - table["after"]) <= 1e-9 * table["after"]
    assert table["before"] == pytest.approx(first.predict(early, margin=0.4)["ltv"].sum())
    assert table["after"] == pytest.approx(second.predict(late, margin=0.4)["ltv"].sum())
    assert table["decay"] < 0 < table["purchases"]
    assert table["lost"] < 0 < table["new_customers"]


def test_nothing_changes_between_a_run_and_itself(runs: tuple[Run, Run]) -> None:
    customers, model, staged = runs[0]
    table = ltv_change(model, customers, model, customers).set_index("step")["ltv"]
    np.testing.assert_allclose(table.drop(["before", "after"]), 0, atol=1e-6)
    same = stage_migration(staged, staged)
    assert (same["before"] == same["after"]).all()
    assert not len(moved_customers(staged, staged))


def test_what_cannot_be_compared_is_refused(runs: tuple[Run, Run]) -> None:
    (early, first, before), (late, second, after) = runs
    with pytest.raises(DataError, match="later run second"):
        ltv_change(second, late, first, early)
    with pytest.raises(ConfigError, match="spend model"):
        ltv_change(ls.fit(early, spend=None), early, second, late)
    with pytest.raises(DataError, match="one row per customer in before"):
        stage_migration(pd.concat([before, before]), after)
    with pytest.raises(DataError, match="two tables of one kind"):
        stage_migration(before, duckdb.from_df(after[["customer_id", "activity_stage"]]))
