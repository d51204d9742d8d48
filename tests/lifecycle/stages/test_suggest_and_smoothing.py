"""Thresholds that a base suggests, against planted steps; and stages with hysteresis."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import moved_customers, smooth_stages, suggest_thresholds
from lifestage.lifecycle.stages.suggest import BINS, best_cuts
from tests.lifecycle.playbooks import rules
from tests.lifecycle.tables import as_kind, scores, to_pandas


def test_planted_steps_are_found() -> None:
    rng = np.random.default_rng(3)
    n = np.full(BINS, 400.0)
    rate = np.repeat([0.05, 0.20, 0.45, 0.80], [15, 25, 35, 25])
    cuts = best_cuts(np.stack([n, rng.binomial(400, rate)]), 0.05)
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
        best_cuts(np.stack([np.full(BINS, 10.0), np.full(BINS, 5.0)]), 0.05)


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
    assert out["activity_stage_strict"].tolist() == table["activity_stage"].tolist()
    other = smooth_stages(duckdb.from_df(now), duckdb.from_df(then)).df().set_index("customer_id")
    assert other.loc[table["customer_id"], "activity_stage"].tolist() == table["expected"].tolist()
    moved = moved_customers(then, out, column="activity_stage").set_index("customer_id")["move"]
    assert moved["came back"] == "up"
    assert moved["has left"] == "down"
    assert moved["unknown before"] == "new"
    assert "stays active" not in moved
    with pytest.raises(ConfigError, match="hysteresis must be"):
        smooth_stages(now, then, hysteresis=0.2)


@pytest.mark.parametrize("kind", ["pandas", "polars", "duckdb"])
def test_own_and_other_taxonomies_are_smoothed(kind: str, write: Any) -> None:
    own = write(rules("N >= 3 and R >= 0.6", "high_value or R >= 0.3", None))
    rows = [
        # id, frequency, R, expected spend; before, now and smoothed: tempo, then phase
        ("kept", 3, 0.56, 1.0, "a", "b", "a", "retain", "retain", "retain"),
        ("left", 3, 0.54, 1.0, "a", "b", "b", "grow", "retain", "retain"),
        ("once", 0, 0.58, 1.0, "a", "b", "b", "acquire", "engage", "engage"),
        ("high value", 3, 0.43, 9.0, "b", "b", "b", "grow", "retain", "grow"),
        ("quiet", 3, 0.26, 1.0, "a", "c", "b", "retain", "retain", "retain"),
        ("asleep", 3, 0.17, 1.0, "c", "c", "c", "retain", "engage", "retain"),
        ("was engaged", 3, 0.17, 1.0, "c", "c", "c", "engage", "engage", "engage"),
        ("contact", None, None, 1.0, "c", "c", "c", "acquire", "acquire", "acquire"),
    ]
    columns = "id x r spend tempo_0 tempo_1 tempo_2 phase_0 phase_1 phase_2"
    table = pd.DataFrame(rows, columns=columns.split())
    given = scores(table[["id", "x", "r", "spend"]].astype(object).to_dict("records"))
    given = given.assign(high_value_cut=20.0)
    now = ls.assign_stages(as_kind(given, kind), playbook=own)
    plain = to_pandas(now)
    assert plain["stage_tempo"].tolist() == table["tempo_1"].tolist()
    assert plain["lifecycle_phase"].tolist() == table["phase_1"].tolist()
    for name, column in (("tempo", "stage_tempo"), ("phase", "lifecycle_phase")):
        before = plain[["customer_id"]].assign(**{column: table[f"{name}_0"]})
        out = smooth_stages(now, as_kind(before, kind), taxonomy=name, playbook=own)
        found = to_pandas(out).set_index("customer_id").loc[plain["customer_id"]]
        assert found[column].tolist() == table[f"{name}_2"].tolist()
        assert found[f"{column}_strict"].tolist() == table[f"{name}_1"].tolist()
    with pytest.raises(ConfigError, match="have none"):
        smooth_stages(now, now, taxonomy="tempo", playbook=write(rules("N > 2", None)))
    with pytest.raises(ConfigError, match="taxonomy must be one of line, phase, segment; got"):
        smooth_stages(now, now, taxonomy="tempo")
