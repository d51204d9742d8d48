"""Thresholds that a base suggests, against planted steps; and stages that remember."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import moved_customers, smooth_stages, suggest_thresholds
from lifestage.lifecycle.stages.suggest import BINS, _best


def test_planted_steps_are_found() -> None:
    rng = np.random.default_rng(3)
    n = np.full(BINS, 400.0)
    rate = np.repeat([0.05, 0.20, 0.45, 0.80], [15, 25, 35, 25])
    cuts = _best(np.stack([n, rng.binomial(400, rate)]), 0.05)
    np.testing.assert_allclose(cuts, [15, 40, 75], atol=1)


def test_cdnow_suggests_bands_that_fall_more_clearly(cdnow: pd.DataFrame) -> None:
    found = suggest_thresholds(cdnow, purchases="mbg/nbd", period="week")
    ours = found.table[found.table["thresholds"] == "suggested"]
    assert ours["repurchased"].is_monotonic_decreasing
    assert (ours["low"].to_numpy()[:-1] > ours["high"].to_numpy()[1:]).all()
    assert (ours["customers"] >= 0.05 * ours["customers"].sum()).all()
    assert found.gain > 0
    sums = found.table.groupby("thresholds")[["customers", "buyers"]].sum()
    assert (sums.loc["suggested"] == sums.loc["current"]).all()
    customers = ls.summarize(
        cdnow, until=str(found.splits[-1]), period="week", stage_window=found.window_days
    )
    scores = ls.fit(customers, purchases="mbg/nbd", spend=None).predict(customers)
    staged = ls.assign_stages(scores, thresholds=found.thresholds)
    assert set(staged["activity_stage"]) >= {"active", "drowsy", "half_asleep", "asleep"}


def test_what_cannot_be_suggested(cdnow: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="at least 11 stage windows"):
        suggest_thresholds(cdnow, splits=10)
    with pytest.raises(ConfigError, match="least share"):
        suggest_thresholds(cdnow, least=0.3)
    with pytest.raises(ConfigError, match="no until="):
        suggest_thresholds(cdnow, until="1997-09-30")
    with pytest.raises(DataError, match="falls with R"):
        _best(np.stack([np.full(BINS, 10.0), np.full(BINS, 5.0)]), 0.05)


def test_stages_are_left_only_below_the_lower_threshold() -> None:
    rows = [
        ("stays active", 3, 0.66, "drowsy", "active", "active"),
        ("has left", 3, 0.64, "drowsy", "active", "drowsy"),
        ("was never active", 3, 0.69, "drowsy", "drowsy", "drowsy"),
        ("came back", 3, 0.95, "active", "asleep", "active"),
        ("two steps down", 3, 0.42, "half_asleep", "active", "drowsy"),
        ("bought once", 0, 0.68, "drowsy", "new", "new"),
        ("stays half asleep", 2, 0.16, "asleep", "half_asleep", "half_asleep"),
        ("unknown before", 2, 0.69, "drowsy", None, "drowsy"),
        ("prospect", None, None, "prospect", "prospect", "prospect"),
    ]
    table = pd.DataFrame(
        rows,
        columns=["customer_id", "frequency", "activity_ratio", "activity_stage", "was", "expected"],
    )
    now = table[["customer_id", "frequency", "activity_ratio", "activity_stage"]]
    then = table[["customer_id", "was"]].rename(columns={"was": "activity_stage"}).dropna()
    out = smooth_stages(now, then)
    assert out["activity_stage"].tolist() == table["expected"].tolist()
    assert out["stage_line_strict"].tolist() == table["activity_stage"].tolist()
    other = smooth_stages(duckdb.from_df(now), duckdb.from_df(then)).df().set_index("customer_id")
    assert other.loc[table["customer_id"], "activity_stage"].tolist() == table["expected"].tolist()
    moved = moved_customers(then, out, column="activity_stage").set_index("customer_id")["move"]
    assert moved["came back"] == "up"
    assert moved["has left"] == "down"
    assert moved["unknown before"] == "new"
    assert "stays active" not in moved
    with pytest.raises(ConfigError, match="margin must be"):
        smooth_stages(now, then, margin=0.2)
