"""Counts under draws against the whole corridor run once a draw."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.lifecycle import Thresholds, stage_counts


@pytest.fixture(scope="module")
def drawn(customers: ls.Summary) -> ls.LTVModel:
    return ls.fit(customers, purchases="mbg/nbd", method="laplace", draws=12, seed=3)


def by_stage(table: pd.DataFrame, taxonomy: str) -> dict[str, tuple[float, float]]:
    part = table[table["taxonomy"] == taxonomy]
    return {row.stage: (row.low, row.high) for row in part.itertuples()}


@pytest.mark.slow
def test_counts_are_those_of_scoring_and_staging_under_each_draw(
    drawn: ls.LTVModel, customers: ls.Summary
) -> None:
    staged = ls.assign_stages(drawn.predict(customers))
    found = by_stage(stage_counts(drawn, staged, level=0.8), "line")
    runs = []
    for i in range(12):
        one = replace(
            drawn.purchases, draws={k: v[i : i + 1] for k, v in drawn.purchases.draws.items()}
        )
        scores = replace(drawn, purchases=one).predict(customers)
        runs.append(ls.assign_stages(scores)["activity_stage"].value_counts())
    counts = pd.DataFrame(runs).fillna(0)
    assert counts["half_asleep"].std() > 0
    for stage, (low, high) in found.items():
        expected = np.quantile(counts[stage], [0.1, 0.9]) if stage in counts else (0, 0)
        np.testing.assert_allclose((low, high), expected)


def test_every_draw_places_everybody(drawn: ls.LTVModel, customers: ls.Summary) -> None:
    staged = ls.assign_stages(drawn.predict(customers))
    table = stage_counts(drawn, staged, level=1 - 1e-12)
    for _, part in table.groupby("taxonomy"):
        assert part["low"].sum() <= customers.customers <= part["high"].sum()
    assert set(table["taxonomy"]) == {"line", "phase", "segment"}


def test_engines_agree(drawn: ls.LTVModel, customers: ls.Summary) -> None:
    staged = ls.assign_stages(drawn.predict(customers))
    relation = duckdb.connect().from_df(staged)
    pd.testing.assert_frame_equal(stage_counts(drawn, relation), stage_counts(drawn, staged))


def test_a_taxonomy_by_another_rule_is_left_out(drawn: ls.LTVModel, customers: ls.Summary) -> None:
    scores = drawn.predict(customers)
    table = stage_counts(drawn, ls.assign_stages(scores, line_rule="nes"))
    assert set(table["taxonomy"]) == {"phase", "segment"}
    limits = Thresholds(awake=0.8)
    staged = ls.assign_stages(scores, thresholds=limits)
    assert "line" not in set(stage_counts(drawn, staged)["taxonomy"])
    assert set(stage_counts(drawn, staged, thresholds=limits)["taxonomy"]) == {
        "line",
        "phase",
        "segment",
    }


def test_a_point_estimate_has_no_intervals(
    model: ls.LTVModel, staged: pd.DataFrame, drawn: ls.LTVModel
) -> None:
    with pytest.raises(ConfigError, match="laplace"):
        stage_counts(model, staged)
    with pytest.raises(ConfigError, match="level"):
        stage_counts(drawn, staged, level=1.0)
